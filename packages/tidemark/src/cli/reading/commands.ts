/** What the commands that look at a store were asked for: plain data. */

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
export type PlanCommand = OfOne & { readonly kind: 'plan'; readonly file: string };
/** Writes into `to` only. */
export type CopyCommand = OfOne & { readonly kind: 'copy'; readonly to: string };

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
  | CopyCommand;
