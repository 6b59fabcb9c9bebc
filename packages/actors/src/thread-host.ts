import { createRequire } from 'node:module';
import type { WorkerTask } from './seat.adapter.ts';
import type { ThreadSettings } from './thread-settings.ts';

/** Where the bodies of workers run. */
export interface ThreadHost {
  /** Settles when the body has ended, by itself or with its thread; `signal` ends the thread. */
  start(task: WorkerTask, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
  kill(): Promise<void>;
}

export interface ThreadHostOptions {
  readonly workers: number;
  readonly entry: URL;
  readonly settings: ThreadSettings;
}

/** Names of environment variables that workers get: none that could hold a secret. */
const ENV_ALLOWED = [
  'PATH',
  'TZ',
  'LANG',
  'LC_ALL',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NO_COLOR',
  'TMPDIR',
];

/** Asked for only where a pool is made: threads load this module too, and start a third sooner without it. */
const require = createRequire(import.meta.url);

/** Threads of a pool. A thread that has died is replaced by the pool as soon as the next body is started. */
export function poolHost({ workers, entry, settings }: ThreadHostOptions): ThreadHost {
  const env: Record<string, string> = { MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' };
  for (const name of ENV_ALLOWED) if (process.env[name] !== undefined) env[name] = process.env[name];
  Object.assign(env, settings.env);
  const { Piscina } = require('piscina') as typeof import('piscina');
  const pool = new Piscina({
    filename: entry.href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    maxQueue: workers,
    atomics: 'disabled',
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    env,
    ...(settings.resourceLimits === undefined ? {} : { resourceLimits: settings.resourceLimits }),
  });
  // Deaths are seen by the tasks; without a listener the same error would end the process.
  pool.on('error', () => undefined);
  return {
    start: (task, signal) => pool.run(task, { transferList: [task.control], signal }) as Promise<void>,
    close: () => pool.close(),
    kill: () => pool.destroy(),
  };
}

/** The host's own thread; nothing but its own end can end a body. */
export function inlineHost({ entry }: ThreadHostOptions): ThreadHost {
  return {
    async start(task) {
      const { default: body } = (await import(entry.href)) as { readonly default: (task: WorkerTask) => Promise<void> };
      await body(task);
    },
    close: () => Promise.resolve(),
    kill: () => Promise.resolve(),
  };
}
