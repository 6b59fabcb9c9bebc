import { ActorError } from './errors.ts';
import type { HostSays, Peer, WorkerSays } from './messages.ts';
import { systemClock } from './clock.adapter.ts';
import { connectAll } from './connect.ts';
import { messagePort } from './port.adapter.ts';
import { isDebugged, whereIs } from './stack.adapter.ts';
import { inlineHost, poolHost } from './thread-host.ts';
import { ThreadPlace } from './thread-place.ts';
import type { ThreadSettings } from './thread-settings.ts';
import { isWatching, Watchdog } from './watchdog.ts';

/** The host's line to one worker. It stays the same when the thread behind it is replaced. */
export interface WorkerLine {
  /** 1 … workers. */
  readonly thread: number;
  readonly say: (says: HostSays, transfer?: readonly ArrayBuffer[]) => void;
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
  /** A worker thread is gone: thrown, exited, out of memory, or stuck and ended for it. */
  readonly lost: (thread: number, cause: unknown) => void;
  readonly settings: ThreadSettings;
  /** See ThreadSettings; 0 or Infinity for never. */
  readonly watchdogMs: number;
  /** A worker does not come back from a turn, so far. */
  readonly silent: (thread: number, message: string) => void;
}

/** Starts the worker threads: one Piscina pool, one task a thread that does not end until the worker is stopped. */
export function startThreads(options: ThreadsOptions): Threads {
  const host = options.inline ? inlineHost(options) : poolHost(options);
  const places = Array.from({ length: options.workers }, (_, index) => new ThreadPlace(index + 1, host, options));
  const watchdog = watchdogOver(places, options);
  watchdog?.start();
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
      watchdog?.stop();
      for (const place of places) place.leave();
      await Promise.all(places.map((place) => place.ended));
      for (const place of places) place.close();
      await host.close();
    },
    async kill() {
      watchdog?.stop();
      for (const place of places) place.close();
      await host.kill();
    },
  };
}

/** Ends threads that do not come back, and says what they were at. */
function watchdogOver(places: readonly ThreadPlace[], options: ThreadsOptions): Watchdog | null {
  const { inline, watchdogMs, silent, lost } = options;
  if (inline || !isWatching(watchdogMs)) return null;
  /** Where a thread was when it was found silent. */
  const found = new Map<number, Promise<string | null>>();
  return new Watchdog({
    limitMs: watchdogMs,
    clock: systemClock,
    threads: () => places.flatMap(({ watched }) => watched ?? []),
    debugged: isDebugged,
    silent(thread, silentMs) {
      const { nodeThread, watched } = places[thread - 1];
      const looking = whereIs(nodeThread);
      found.set(thread, looking);
      void looking.then((where) => {
        if (places[thread - 1].watched !== watched) return;
        silent(thread, `${stuckText(thread, silentMs, where)}; it is ended and replaced after ${watchdogMs} ms`);
      });
    },
    stuck(thread, silentMs) {
      const { watched } = places[thread - 1];
      const beats = watched?.beats();
      void found.get(thread)?.then((where) => {
        // It may have come back meanwhile, or died by itself.
        if (watched === null || places[thread - 1].watched !== watched || watched.beats() !== beats) return;
        places[thread - 1].end();
        lost(thread, new ActorError('WORKER_STUCK', stuckText(thread, silentMs, where)));
      });
    },
  });
}

function stuckText(thread: number, silentMs: number, where: string | null): string {
  return `worker ${thread} has been at one thing for ${Math.round(silentMs)} ms${where === null ? '' : `: ${where}`}`;
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
