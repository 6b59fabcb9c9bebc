import type { Clock, LookAtResources, Threads, ThreadsOptions } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { ProcessIdentity } from './process-identity.adapter.ts';

/** Who is alive on this machine. */
export interface Processes {
  readonly own: () => ProcessIdentity;
  readonly isAlive: (pid: number, startTicks: string) => boolean;
}

/** All that a system takes from outside: a simulator gives its own. */
export interface Environment {
  readonly clock: Clock;
  /** A name that nobody else will choose. */
  readonly randomId: () => string;
  /** In [0, 1): spreads waits. */
  readonly random: () => number;
  readonly processes: Processes;
  readonly openStore: (location: string) => Promise<Store>;
  /** Bytes of a part that lies in the record itself; no chain of files begins with a smaller one. */
  readonly inlineBytesMax: number;
  /** Records put between two passes of retention. */
  readonly recordsPerPass: number;
  readonly startThreads: (options: ThreadsOptions) => Threads;
  /** What this thread uses, for one who looks; left out where there is no machine. */
  readonly resources?: () => LookAtResources;
}
