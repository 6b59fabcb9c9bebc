import type { Clock } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Compressor } from './compression.ts';
import type { Log } from './log.ts';
import type { PartCache } from './part-cache.ts';
import type { Retention } from './retention.ts';
import type { Schedule } from './schedule.ts';
import type { WorkDone } from './work.ts';

/** A published checkpoint, as its observers see it. */
export interface Published {
  readonly cut: number;
  readonly position: number;
  readonly durationMs: number;
  readonly pauseMs: number;
  readonly skewMs: number;
  readonly bytes: number;
  readonly units: number;
  readonly messages: number;
  readonly releases: boolean;
}

export interface GeneratorOptions {
  readonly store: Store;
  readonly log: Log;
  readonly job: string;
  readonly term: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Host and workers. */
  readonly threads: number;
  readonly definitions: Readonly<Record<string, number>>;
  /** First cut number that was never used. */
  readonly nextCut: number;
  /** Null: only what is asked for. */
  readonly schedule: Schedule | null;
  /** What the threads have done, for a schedule that counts it. */
  readonly work: () => WorkDone;
  readonly retention: Retention;
  readonly compressor: Compressor | null;
  readonly captureBytesMax: number;
  readonly inlineBytesMax: number;
  /** Keeps the parts that are gathered; none when not given. */
  readonly cache?: PartCache;
  readonly begin: (cut: number, published: number) => void;
  readonly abandon: (cut: number) => void;
  /** Blocks of a thread are stored: it may use their memory again. Nobody uses it when not given. */
  readonly spent?: (thread: number, buffers: readonly ArrayBuffer[]) => void;
  readonly release: (published: Published) => void;
  /** A generation is over, and no record is under way any more. */
  readonly settled: () => void;
  readonly failed: (cut: number, error: Error) => void;
  /** What people should know while everything goes on. */
  readonly warn?: (code: string, message: string) => void;
  readonly end: (error: Error) => void;
  /**
   * Whether answers wait for this cut to be published: asked when the record is put, and only those that wait then are released
   * with it. A record that releases nothing may be passed over when it is damaged. Never when not given.
   */
  readonly answersWait?: (cut: number) => boolean;
  /** What the layer above wants in the record: asked when the record is put. */
  readonly app: () => { readonly app: unknown; readonly finished: boolean };
}
