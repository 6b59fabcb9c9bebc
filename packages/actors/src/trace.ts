/** What runs in a trace: a turn of an actor, or a call of a service, whose key is then empty. */
export interface TracedWork {
  readonly type: string;
  readonly key: string;
  readonly handler: string;
}

/** How a tracing library is plugged in: see `traceWith`. */
export interface TraceHook {
  /** The trace that this thread works for now, as a W3C `traceparent`; undefined for none. Asked at each send. */
  current(): string | undefined;
  /**
   * Runs a turn or a call in the trace that its message came with; undefined for none. Answers what `run` answers, and throws what
   * it throws.
   */
  run<T>(traceparent: string | undefined, work: TracedWork, run: () => T): T;
}

/** One for each thread, even if this package is loaded twice. */
const KEY = Symbol.for('tidemark.trace');
const root = globalThis as { [KEY]?: { hook: TraceHook | null } };
const tracing = (root[KEY] ??= { hook: null });

/**
 * Carries the context of a trace with every tell, ask, call and answer, to whichever thread. It holds for the thread that calls
 * it: call it in a module that the workers import, and on the host. null ends it.
 *
 * @example
 * traceWith({
 *   current: () => storage.getStore(),
 *   run: (traceparent, { type, handler }, run) => storage.run(traceparent, run),
 * });
 */
export function traceWith(hook: TraceHook | null): void {
  tracing.hook = hook;
}

export function isTracing(): boolean {
  return tracing.hook !== null;
}

/** Context of what sends now; nothing is asked while nobody traces. */
export function currentTrace(): string | undefined {
  return tracing.hook === null ? undefined : tracing.hook.current();
}

export function inTrace<T>(traceparent: string | undefined, work: TracedWork, run: () => T): T {
  return tracing.hook === null ? run() : tracing.hook.run(traceparent, work, run);
}
