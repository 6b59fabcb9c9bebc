import { limits, type LogLine, type ThreadsOptions } from '@tidemark/actors/internal';
import type { EngineEvent, EngineOptions } from './engine-options.ts';

/** The worker threads that a system wants. */
export function threadsOptions(
  { workers, inline, modules, extension, threads: settings = {} }: EngineOptions,
  news: Pick<ThreadsOptions, 'lost' | 'silent'>,
): ThreadsOptions {
  return {
    workers,
    inline,
    // Inline workers live in this thread, which has them already.
    modules: inline ? [] : modules,
    extension: extension?.workerModule.href ?? null,
    entry: new URL('./worker-door.cjs', import.meta.url),
    settings,
    watchdogMs: settings.watchdogMs ?? limits.WATCHDOG_MS,
    ...news,
  };
}

/** A line of a worker, without what else the protocol says with it. */
export function logEvent(thread: number, { text, level, from }: LogLine): EngineEvent {
  return { kind: 'log', thread, text, level, from };
}
