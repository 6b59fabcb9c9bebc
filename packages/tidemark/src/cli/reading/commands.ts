import type { KeepOptions } from '@tidemark/checkpoint';
import type { Mapping } from '@tidemark/checkpoint/internal';

/** What the commands over a store were asked for: plain data. */

interface Common {
  readonly store: string;
  /** Null for the only job of the store. */
  readonly job: string | null;
  readonly json: boolean;
  readonly verbose: boolean;
}

interface OfOne extends Common {
  /** Null for the newest checkpoint. */
  readonly position: number | null;
}

export type CheckpointsCommand = Common & { readonly kind: 'checkpoints' };
export type ShowCommand = OfOne & { readonly kind: 'show' };
export type InspectCommand = OfOne & {
  readonly kind: 'inspect';
  readonly actor: Address | null;
  readonly limit: number;
};
export type DiffCommand = Common & {
  readonly kind: 'diff';
  readonly before: number;
  readonly after: number;
  readonly limit: number;
};
export type VerifyCommand = OfOne & { readonly kind: 'verify' };
/** `position` as for `--from`; `file` as it was typed, then the URL of its module. */
export type PlanCommand = OfOne & { readonly kind: 'plan'; readonly file: string; readonly mapping: Mapping };
/** Writes into `to` only. */
export type CopyCommand = OfOne & { readonly kind: 'copy'; readonly to: string };

export type PinCommand = Common & { readonly kind: 'pin'; readonly position: number; readonly label: string | null };
export type UnpinCommand = Common & { readonly kind: 'unpin'; readonly position: number };
/** Null takes a fresh checkpoint, or the newest where the job does not run. */
export type SavepointCommand = OfOne & { readonly kind: 'savepoint'; readonly label: string | null };
/** `keep` null for what the job's last start said. */
export type GcCommand = Common & { readonly kind: 'gc'; readonly dryRun: boolean; readonly keep: KeepOptions | null };

/** Proves what the place `store` promises; it need not hold anything. */
export type DoctorCommand = Common & { readonly kind: 'doctor' };

/** An actor, or a key of a job. */
export interface Address {
  readonly type: string;
  readonly key: string;
}

export type ReadingCommand =
  | CheckpointsCommand
  | ShowCommand
  | InspectCommand
  | DiffCommand
  | VerifyCommand
  | PlanCommand
  | CopyCommand
  | DoctorCommand
  | KeepingCommand;

/** These change what stays in a store; all others only look. */
export type KeepingCommand = PinCommand | UnpinCommand | SavepointCommand | GcCommand;
