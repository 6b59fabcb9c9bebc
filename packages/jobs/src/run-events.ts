import type { ThreadSettings } from '@tidemark/actors';
import type { Compression, CopyOptions, IfRunning, KeepOptions, PlanRow, ScheduleOption } from '@tidemark/checkpoint';

/** What a running job tells its observer; `tidemark run --json` prints exactly these, one JSON object a line. */
export type RunEvent =
  /** What this start changes in the checkpoint that it goes on from; only when there is something. */
  | {
      readonly event: 'plan';
      readonly position: number;
      readonly rows: readonly PlanRow[];
      readonly message: string;
    }
  | {
      /** Another process runs the job, and this start waits for its end. */
      readonly event: 'waiting';
      readonly job: string;
      readonly host: string;
      readonly pid: number;
      readonly since: string;
      readonly term: number;
    }
  | {
      readonly event: 'started';
      readonly job: string;
      readonly term: number;
      readonly workers: number;
      readonly store: string;
      /** Position of the checkpoint that the job goes on from; null when it begins. */
      readonly from: number | null;
      readonly pid: number;
    }
  | {
      readonly event: 'restored';
      readonly cut: number;
      readonly position: number;
      readonly rows: number;
      readonly durationMs: number;
    }
  | {
      readonly event: 'rolled-back';
      /** Number of what runs now; 1 is the first in a process. */
      readonly generation: number;
      /** Of the checkpoint that the job runs on from; null when it begins again. */
      readonly position: number | null;
      readonly rows: number;
      /** Code and message of what had happened. */
      readonly code: string;
      readonly message: string;
      /** From what had happened until everything runs again. */
      readonly durationMs: number;
    }
  | {
      readonly event: 'checkpoint';
      readonly cut: number;
      readonly position: number;
      readonly durationMs: number;
      /** Longest stretch in which a worker with mail ran no turn because of this checkpoint. */
      readonly pauseMs: number;
      /** From the first thread's cut to the last one's. */
      readonly skewMs: number;
      readonly bytes: number;
    }
  | { readonly event: 'checkpoint-failed'; readonly cut: number; readonly code: string; readonly message: string }
  | {
      readonly event: 'copied';
      /** Store that the copy is in. */
      readonly store: string;
      readonly cut: number;
      readonly position: number;
      readonly durationMs: number;
      /** From the checkpoint to the end of its copy. */
      readonly lagMs: number;
      readonly files: number;
      readonly bytes: number;
    }
  | { readonly event: 'first-record'; readonly sinceStartMs: number }
  | { readonly event: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly event: 'finished';
      readonly position: number;
      /** True when this start found the job finished already and ran nothing. */
      readonly already: boolean;
      readonly rows: number;
      readonly badRows: number;
      readonly result: JobResult;
    }
  | { readonly event: 'stopped'; readonly position: number | null; readonly rows: number };

/** What a finished job leaves behind, kept in its last checkpoint. */
export interface JobResult {
  /** Sums of `this.count(name, by)` over all workers. */
  readonly counters: Readonly<Record<string, number>>;
  /** What `this.collect(key, value)` gathered on the host, sorted by key; or what the job's `summarize` made of it. */
  readonly collected: unknown;
}

/** Cheap figures for a live line; read at any time, a snapshot of shared counters. */
export interface Progress {
  readonly rows: number;
  readonly badRows: number;
  readonly bytesRead: number;
  /** 0 when the inputs have no known end. */
  readonly bytesTotal: number;
}

/** What a person or the CLI may set from outside; wins over the job's own `setup()`. */
export interface RunOptions extends ThreadSettings {
  /** Files or folders of files. */
  readonly input?: readonly string[];
  /** Folder for the job's output records. */
  readonly output?: string;
  /** Store URL or path of a folder. */
  readonly store?: string;
  readonly workers?: number;
  /** `250ms`, `1s`, `5m`, a cron expression with six fields, or more than that; wins as `mergedSchedule` says. */
  readonly schedule?: ScheduleOption;
  /** Checkpoints kept at least: so many of the newest (10 when not given), and of hours, days and weeks. */
  readonly keep?: number | KeepOptions;
  /** How parts of checkpoints are stored; `none` when not given. */
  readonly compression?: Compression;
  /** Take folders on network file systems, too, for the checkpoints and the output. */
  readonly allowNfs?: boolean;
  /** Bytes of a checkpoint that may wait for the store, 512 MiB when not given: with more, that checkpoint is declined. */
  readonly captureBytesMax?: number;
  /** Copies of the checkpoints in other stores; instead of those that the job's own file names. */
  readonly copies?: readonly CopyOptions[];
  /** Rows per second over all workers. */
  readonly rate?: number;
  readonly fresh?: boolean;
  /** Position of a checkpoint to go on from. */
  readonly from?: number;
  readonly acceptDuplicates?: boolean;
  /** Actors whose state and messages in the checkpoint are given up. */
  readonly drop?: readonly string[];
  /** New names of actors by the names that they have in the checkpoint. */
  readonly rename?: Readonly<Record<string, string>>;
  /** What to do when another process runs the job: end (`fail`, when not given), wait for its end, or go on without it. */
  readonly ifRunning?: IfRunning;
  /** Everything in this thread, for a debugger. */
  readonly inline?: boolean;
  readonly badRows?: 'stop' | 'skip' | `file:${string}`;
  /** Column of a CSV input that holds the key. */
  readonly key?: string;
}

/** A job under way. */
export interface JobRun {
  /** Resolves when the job has ended by itself or by `stop`; rejects with a coded error when it failed. */
  readonly done: Promise<void>;
  progress(): Progress;
  /** Takes a last checkpoint and ends the run. A second call ends it at once. */
  stop(): Promise<void>;
}
