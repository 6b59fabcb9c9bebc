import type { RestoredNames } from './file-sink.ts';
import type { InputFile } from './input/input-plan.ts';

/** The job's own protocol between host and workers. */

/** What a worker needs to run its share. */
export interface JobWorkerData {
  readonly url: string;
  readonly files: readonly InputFile[];
  readonly splits: number;
  readonly key: string | null;
  /** As `openStore` takes it, like that of the bad rows. */
  readonly output: string | null;
  readonly badRows:
    | { readonly kind: 'stop' }
    | { readonly kind: 'skip' }
    | { readonly kind: 'file'; readonly location: string };
  readonly rowsPerSecond: number;
  readonly restored: RestoredNames;
  /** See progress.ts. */
  readonly progress: Float64Array;
}

export type JobHostSays =
  /** Everything is restored: sources may read, sinks apply what was restored first. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end-of-stream' }
  /** The last word was said before a restore: tell the counters only. */
  | { readonly kind: 'counters' };

export type JobWorkerSays =
  | { readonly kind: 'begun' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'first-record' }
  | { readonly kind: 'ended'; readonly counters: Readonly<Record<string, number>> }
  /** All batches named by records up to `position` are durable. */
  | { readonly kind: 'applied'; readonly position: number }
  | { readonly kind: 'checkpoint-wanted'; readonly why: string }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string };
