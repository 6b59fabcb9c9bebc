import type { Border, DeadLetter, HungCall, LogLine, ThreadSettings, UnitData } from '@tidemark/actors/internal';
import type { Compression } from './compression.ts';
import type { Copied } from './copier.ts';
import type { CopyOptions } from './copies.ts';
import type { Published } from './generator-options.ts';
import type { KeepOptions } from './keep.ts';
import type { PlanRow } from './mapping/map-checkpoint.ts';
import type { Mapping } from './mapping/program.ts';
import type { OwnerSeen } from './owner.ts';
import type { CheckpointRecord } from './record.ts';
import type { Placement } from './recovery.ts';
import type { IfRunning } from './take-over.ts';
import type { ScheduleOption } from './schedule.ts';

/** What happens to a system that an observer may want to know. */
export type EngineEvent =
  | { readonly kind: 'term'; readonly term: number; readonly from: number | null; readonly location: string }
  | { readonly kind: 'restored'; readonly cut: number; readonly position: number; readonly durationMs: number }
  /** The system has gone back to its newest checkpoint, inside the process, and runs on from there. */
  | {
      readonly kind: 'rolled-back';
      /** Number of what runs now; 1 is the first in a process. */
      readonly generation: number;
      /** Of the checkpoint; null when none was published yet: then it begins again. */
      readonly position: number | null;
      readonly cut: number;
      /** Code and message of what had happened. */
      readonly code: string;
      readonly message: string;
      /** From what had happened until everything runs again. */
      readonly durationMs: number;
    }
  | ({ readonly kind: 'checkpoint' } & Published)
  | { readonly kind: 'checkpoint-failed'; readonly cut: number; readonly code: string; readonly message: string }
  /** What this start changes in the checkpoint that it goes on from; told before it is done, and only when there is something. */
  | {
      readonly kind: 'plan';
      readonly position: number;
      readonly rows: readonly PlanRow[];
      readonly message: string;
    }
  /** Another process runs the job, and this start waits for its end. */
  | ({ readonly kind: 'waiting' } & OwnerSeen)
  | ({ readonly kind: 'copied' } & Copied)
  /** A turn of an actor that has thrown before threw again: it was undone, and its message is set aside. */
  | { readonly kind: 'dead-letter'; readonly thread: number; readonly letter: DeadLetter }
  /** A call of a service runs on long after its `ctx.signal` was aborted; told once. The host is thread 0. */
  | ({ readonly kind: 'service-hung'; readonly thread: number } & HungCall)
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  /** A line that code of a thread has written for people, by `ctx.log` or to a standard stream of its worker; the host is thread 0. */
  | ({ readonly kind: 'log'; readonly thread: number } & LogLine);

/** What a layer above (a job) adds to a system. */
export interface HostExtension {
  /** Module with the workers' side. */
  readonly workerModule: URL;
  readonly placement: Placement;
  /** Called once with the checkpoint to go on from (null: from nothing), before any side effect. May refuse. */
  prepare(record: CheckpointRecord | null): Promise<Prepared>;
  /** Whether going back to the last checkpoint may cure an error of its own with this code. */
  mayRecover(code: string): boolean;
  /** What runs is over: whatever waits for a worker's word hears `reason`. */
  interrupted(reason: Error): void;
  /** Puts the host's side back to that checkpoint (null: to the beginning). */
  rolledBack(record: CheckpointRecord | null): ToRun;
  /** Everything runs, for the first time or again. */
  running(): void;
  receive(thread: number, data: unknown): void;
  /** What goes into each record. */
  record(): { readonly app: unknown; readonly finished: boolean };
  published(published: Published): void;
}

export type Prepared =
  /** Nothing to run: the job has ended with this checkpoint. */
  { readonly kind: 'finished' } | ({ readonly kind: 'run' } & ToRun);

/** What is needed to run from a checkpoint, or from a beginning. */
export interface ToRun {
  /** For the workers' `install`. */
  readonly data: unknown;
  /** Units of a beginning, where there is no checkpoint. */
  readonly units: readonly UnitData[];
}

export interface EngineOptions {
  readonly modules: readonly string[];
  readonly location: string | null;
  readonly job: string;
  readonly workers: number;
  readonly schedule: ScheduleOption;
  /** Of a cron schedule that names none itself. */
  readonly timezone?: string | undefined;
  /** Checkpoints kept at least; a number is that of the newest, Infinity keeps all. */
  readonly keep: number | KeepOptions;
  /** None when not given. */
  readonly copies?: readonly CopyOptions[];
  readonly compression: Compression;
  /** Bytes of a checkpoint that may be in memory and not yet stored: with more it is declined. */
  readonly captureBytesMax: number;
  readonly inline: boolean;
  /** What the worker threads are given; nothing but what is so for all when not given. */
  readonly threads?: ThreadSettings;
  readonly fresh: boolean;
  readonly from: number | null;
  readonly acceptDuplicates: boolean;
  /** `fail` when not given. */
  readonly ifRunning?: IfRunning;
  /** What to do with state that the program does not claim by itself; nothing when not given. */
  readonly mapping?: Mapping;
  readonly command: (position: number) => string;
  readonly observe: (event: EngineEvent) => void;
  readonly border: Border | null;
  readonly extension: HostExtension | null;
}
