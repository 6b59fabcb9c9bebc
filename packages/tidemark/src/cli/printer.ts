import type { Progress, RunEvent } from '@tidemark/jobs/internal';
import type { Clock } from './clock.ts';
import { toJson } from './json.ts';
import { REPEAT_MS } from './limits.ts';
import type { Output } from './output.ts';
import type { Paints } from './paints.adapter.ts';
import { ProgressDisplay } from './progress-display.ts';
import { resultText } from './result-text.ts';
import { sayEvent } from './say.ts';
import type { Terminal } from './terminal.ts';

export interface PrinterOptions {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly clock: Clock;
  readonly paints: Paints;
  readonly cwd: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * Shows a run. Stdout gets what was asked for (the result, or every event with `--json`), stderr what people want to
 * know meanwhile. Warnings and failures are shown always.
 */
export class Printer {
  readonly #options: PrinterOptions;
  /** Null where nobody wants to watch. */
  readonly #display: ProgressDisplay | null;
  readonly #startedAtMs: number;
  /** When a trouble was last said, by what it is. */
  readonly #said = new Map<string, number>();
  #checkpointsFail = false;

  constructor(options: PrinterOptions) {
    const { terminal, clock, paints, json, quiet } = options;
    this.#options = options;
    this.#startedAtMs = clock.monotonic();
    this.#display = json || quiet ? null : new ProgressDisplay(terminal, clock, paints.faint);
  }

  event(event: RunEvent): void {
    const { clock, cwd, json, output, quiet, terminal } = this.#options;
    if (json) output.line(toJson({ ...event, time: new Date(clock.now()).toISOString() }));
    this.#display?.event(event);
    if (event.event === 'finished' || event.event === 'stopped') this.#display?.close();
    if (event.event === 'checkpoint-failed') this.#checkpointsFail = true;
    if (event.event === 'checkpoint' && this.#checkpointsFail) {
      this.#checkpointsFail = false;
      this.#said.clear();
      if (!json && !quiet) terminal.line(`Checkpoints are stored again (checkpoint ${event.position})`);
    }
    const saying = sayEvent(event, { elapsedMs: clock.monotonic() - this.#startedAtMs, cwd });
    if (saying?.level === 'warning' && !this.#isRepeated(event)) this.warning(saying.text);
    if (saying?.level === 'notice' && !json && !quiet) terminal.line(saying.text);
    if (event.event === 'finished' && !json) this.#result(resultText(event.result));
  }

  watch(progress: () => Progress): void {
    this.#display?.watch(progress);
  }

  warning(text: string): void {
    this.#options.terminal.line(this.#options.paints.warning(`WARNING: ${text}`));
  }

  failure(text: string): void {
    this.#display?.close();
    this.#options.terminal.line(this.#options.paints.failure(text));
  }

  close(): void {
    this.#display?.close();
  }

  #result(text: string): void {
    if (text !== '') this.#options.output.line(text);
  }

  /** A store that is away fails every checkpoint, and a full output every try: said at once, then now and then. */
  #isRepeated(event: RunEvent): boolean {
    if (event.event !== 'checkpoint-failed' && event.event !== 'warning') return false;
    // Other warnings come once each.
    if (event.event === 'warning' && !event.code.startsWith('STORE_')) return false;
    const what = `${event.event} ${event.code}`;
    const atMs = this.#options.clock.monotonic();
    const lastMs = this.#said.get(what);
    if (lastMs !== undefined && atMs - lastMs < REPEAT_MS) return true;
    this.#said.set(what, atMs);
    return false;
  }
}
