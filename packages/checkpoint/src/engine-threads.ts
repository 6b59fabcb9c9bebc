import { limits, type ThreadsOptions, type WorkerSays } from '@tidemark/actors/internal';
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

/** What a worker says for people, which counts whatever becomes of the turns of its generation; null for anything else. */
export function toldBy(thread: number, says: WorkerSays): EngineEvent | null {
  const { kind } = says;
  if (kind === 'log') return { kind, thread, text: says.text, level: says.level, from: says.from };
  if (kind === 'warning') return { kind, code: says.code, message: `worker ${thread} ${says.message}` };
  return kind === 'service-hung' ? { kind, thread, ...says.call } : null;
}
