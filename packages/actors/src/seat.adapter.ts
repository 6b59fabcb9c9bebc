import { isMainThread, type MessagePort } from 'node:worker_threads';
import { systemClock } from './clock.adapter.ts';
import { ActorError } from './errors.ts';
import { loadModule } from './load-module.ts';
import { messagePort } from './port.adapter.ts';
import type { Install, WorkerSeat } from './worker.ts';

/** What a worker thread is handed: its line to the host, and its ends of the channels. */
export interface WorkerTask {
  readonly control: MessagePort;
  readonly ports: readonly { readonly thread: number; readonly port: MessagePort }[];
  /** Modules that define the actors, as URLs: loaded while the host still reads the log. */
  readonly modules: readonly string[];
  /** Module that adds to this worker (tasks of a job); its default export is an `Install`. */
  readonly extension: string | null;
  readonly inline: boolean;
}

/** A seat in a real thread, or inline in the host's. */
export function threadSeat(task: WorkerTask): WorkerSeat {
  if (isMainThread && !task.inline) {
    throw new ActorError('NOT_ON_HOST', 'a worker entry was started in the main thread');
  }
  const { control } = task;
  return {
    line: {
      say: (says, transfer) => control.postMessage(says, transfer),
      listen(receive, closed) {
        control.on('close', closed);
        control.on('message', receive);
      },
      close: () => control.close(),
    },
    peers: task.ports.map(({ thread, port }) => ({ thread, port: messagePort(port) })),
    clock: systemClock,
    load: () => loadAll(task),
  };
}

async function loadAll(task: WorkerTask): Promise<Install | null> {
  for (const module of task.modules) await loadModule(module);
  if (task.extension === null) return null;
  const { default: install } = (await import(task.extension)) as { readonly default: Install };
  return install;
}
