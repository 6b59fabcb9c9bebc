import { EventEmitter } from 'eventemitter3';

/**
 * Typed events on eventemitter3, without its traps: a listener that throws stops neither the others nor the sender,
 * and `emit` says whether anybody has listened.
 *
 * @example
 * const events = new Events<{ done: number }>((name, error) => console.error(name, error));
 * const off = events.on('done', (rows) => console.log(rows));
 */
export class Events<M extends object> {
  readonly #emitter = new EventEmitter();
  readonly #failed: (name: keyof M & string, error: unknown) => void;

  constructor(failed: (name: keyof M & string, error: unknown) => void) {
    this.#failed = failed;
  }

  /** Listens until the returned function is called. */
  on<K extends keyof M & string>(name: K, listener: (payload: M[K]) => void): () => void {
    const safe = (payload: M[K]): void => {
      try {
        listener(payload);
      } catch (error) {
        this.#failed(name, error);
      }
    };
    this.#emitter.on(name, safe);
    return () => void this.#emitter.off(name, safe);
  }

  emit<K extends keyof M & string>(name: K, payload: M[K]): boolean {
    return this.#emitter.emit(name, payload);
  }
}
