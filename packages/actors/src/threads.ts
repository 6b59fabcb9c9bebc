import type { TransferListItem } from 'node:worker_threads';
import { ActorError } from './errors.ts';
import type { HostSays, Peer, WorkerSays } from './messages.ts';
import { connectAll } from './connect.ts';
import { messagePort } from './port.adapter.ts';
import { inlineHost, poolHost } from './thread-host.ts';
import { ThreadPlace } from './thread-place.ts';

/** The host's line to one worker. It stays the same when the thread behind it is replaced. */
export interface WorkerLine {
  /** 1 … workers. */
  readonly thread: number;
  readonly say: (says: HostSays, transfer?: TransferListItem[]) => void;
  readonly listen: (receive: (says: WorkerSays) => void) => void;
}

export interface Threads {
  readonly lines: readonly WorkerLine[];
  /**
   * New channels between all threads, for a generation that is about to start; a thread that is gone is replaced first.
   * What was posted on older channels has no way in any more.
   *
   * @returns the host's ends
   */
  connect(generation: number): readonly Peer[];
  /** Ends one thread whatever it does; it is not reported as lost. */
  end(thread: number): void;
  /** Lets every worker end by itself, then closes the pool. */
  stop(): Promise<void>;
  /** Ends the threads whatever they do. */
  kill(): Promise<void>;
}

export interface ThreadsOptions {
  readonly workers: number;
  /** Module whose default export is the worker's body; JavaScript, a `file:` URL. */
  readonly entry: URL;
  readonly modules: readonly string[];
  readonly extension: string | null;
  /** Run the workers' code in this thread: breakpoints work, nothing is parallel. */
  readonly inline: boolean;
  /** A worker thread is gone: thrown, exited, out of memory. */
  readonly lost: (thread: number, cause: unknown) => void;
}

/** Starts the worker threads: one Piscina pool, one task a thread that does not end until the worker is stopped. */
export function startThreads(options: ThreadsOptions): Threads {
  const host = options.inline ? inlineHost(options) : poolHost(options);
  const places = Array.from({ length: options.workers }, (_, index) => new ThreadPlace(index + 1, host, options));
  return {
    lines: places,
    connect(generation) {
      for (const place of places) place.revive();
      const [own, ...others] = connectAll(options.workers + 1);
      for (const [index, place] of places.entries()) place.connect(generation, others[index]);
      return own.map(({ thread, port }) => ({ thread, port: messagePort(port) }));
    },
    end: (thread) => places[thread - 1].end(),
    async stop() {
      for (const place of places) place.leave();
      await Promise.all(places.map((place) => place.ended));
      for (const place of places) place.close();
      await host.close();
    },
    async kill() {
      for (const place of places) place.close();
      await host.kill();
    },
  };
}

/** Compares what the workers define with what this thread defines. */
export function assertSameDefinitions(
  thread: number,
  theirs: Readonly<Record<string, number>>,
  ours: Readonly<Record<string, number>>,
): void {
  const show = (versions: Readonly<Record<string, number>>): string =>
    Object.entries(versions)
      .map(([name, version]) => `${name}@${version}`)
      .sort()
      .join(', ') || 'none';
  if (show(theirs) === show(ours)) return;
  throw new ActorError(
    'DEFINITIONS_DIFFER',
    `worker ${thread} defines ${show(theirs)}; the host defines ${show(ours)}. Both must import the same modules: pass them in 'actors'.`,
  );
}
