import { isMainThread, type MessagePort } from 'node:worker_threads';
import { startBeat } from './beat.adapter.ts';
import { systemClock } from './clock.adapter.ts';
import type { ChannelEnd } from './connect.ts';
import { ActorError } from './errors.ts';
import { loadModule } from './load-module.ts';
import { OVERRUN_BYTES, OVERRUN_SHARE } from './limits.ts';
import { heapLimitBytes, watchMemory } from './memory.adapter.ts';
import type { HostSays, Peer, WorkerWord } from './messages.ts';
import { sendOutput } from './output.adapter.ts';
import { messagePort } from './port.adapter.ts';
import { resourcesOfThread } from './resources.adapter.ts';
import type { Install, WorkerSeat } from './worker.ts';

/** What a worker thread is handed. */
export interface WorkerTask {
  /** Its line to the host. */
  readonly control: MessagePort;
  /** Modules that define the actors, as URLs: loaded while the host still reads the log. */
  readonly modules: readonly string[];
  /** Module that adds to this worker (tasks of a job); its default export is an `Install`. */
  readonly extension: string | null;
  readonly inline: boolean;
  /** Where it shows that it lives, see beat.ts; it beats so often. Null where nobody looks. */
  readonly beat: { readonly shared: Int32Array; readonly everyMs: number } | null;
  readonly memoryBytesMax: number | null;
}

/** What comes down the line: what the host says, and before each `start` the channels of that generation. */
export type SeatSays =
  | HostSays
  | { readonly kind: 'connect'; readonly generation: number; readonly ends: readonly ChannelEnd[] };

/** A seat in a real thread, or inline in the host's. */
export function threadSeat(task: WorkerTask): WorkerSeat {
  if (isMainThread && !task.inline) {
    throw new ActorError('NOT_ON_HOST', 'a worker entry was started in the main thread');
  }
  const { control } = task;
  const leave = task.inline ? () => undefined : ownThread(task);
  let connected: { readonly generation: number; readonly ends: readonly ChannelEnd[] } | null = null;
  return {
    line: {
      say: (says, transfer) => control.postMessage(says, transfer),
      listen(receive, closed) {
        control.on('close', closed);
        control.on('message', (says: SeatSays) => {
          if (says.kind !== 'connect') {
            receive(says);
            return;
          }
          // A generation that was over before it started has not taken them.
          for (const { port } of connected?.ends ?? []) port.close();
          connected = says;
        });
      },
      close() {
        leave();
        control.close();
      },
    },
    peers(generation): readonly Peer[] {
      const taken = connected;
      if (taken?.generation !== generation) throw new RangeError(`there are no channels of generation ${generation}`);
      connected = null;
      return taken.ends.map(({ thread, port }) => ({ thread, port: messagePort(port) }));
    },
    clock: systemClock,
    load: () => loadAll(task),
    overrunBytes: Math.min(OVERRUN_BYTES, heapLimitBytes() * OVERRUN_SHARE),
    resources: resourcesOfThread(),
  };
}

/** What a thread of its own does beside its work: shows that it lives, says what its code writes, keeps to its memory. */
function ownThread({ control, beat, memoryBytesMax }: WorkerTask): () => void {
  // Of no generation: what is said for people counts whatever becomes of the turn.
  const say = (word: WorkerWord): void => control.postMessage({ ...word, generation: 0 });
  const undo = [
    beat === null ? null : startBeat(beat.shared, beat.everyMs),
    sendOutput((line) => say({ kind: 'log', ...line })),
    memoryBytesMax === null
      ? null
      : watchMemory(memoryBytesMax, (code, message) => say({ kind: 'warning', code, message })),
  ];
  return () => {
    for (const back of undo) back?.();
  };
}

async function loadAll(task: WorkerTask): Promise<Install | null> {
  for (const module of task.modules) await loadModule(module);
  if (task.extension === null) return null;
  const { default: install } = (await import(task.extension)) as { readonly default: Install };
  return install;
}
