import type { StopSignal } from './messages.ts';

/** The wish that the run ends, from whomever it comes first. Asking again changes nothing. */
export class StopRequest {
  readonly asked: Promise<StopSignal>;
  #signal: StopSignal | null = null;
  #resolve: (signal: StopSignal) => void = () => {};

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get signal(): StopSignal | null {
    return this.#signal;
  }

  ask(signal: StopSignal): void {
    this.#signal ??= signal;
    this.#resolve(this.#signal);
  }
}
