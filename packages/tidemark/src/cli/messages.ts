/** The protocol between the supervisor parent and its child, over their IPC channel. */

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** From the parent. */
export type ParentRequest = {
  readonly type: 'stop-run';
  readonly signal: StopSignal;
};

/** From the child. */
export type ChildReport =
  /** The run has its term: where to begin is decided and must not be asked for again. */
  | { readonly type: 'run-started' }
  /** The run has published a checkpoint of its own: it got further than the one before. */
  | { readonly type: 'run-progressed' }
  /** Why the child is about to end, for the parent's last words. */
  | { readonly type: 'run-failed'; readonly failure: Failure };

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export function isStopSignal(value: unknown): value is StopSignal {
  return value === 'SIGINT' || value === 'SIGTERM';
}

/** The channel is open to the user's code as `process.send`: what is not ours is ignored. */
export function isParentRequest(value: unknown): value is ParentRequest {
  return isRecord(value) && value.type === 'stop-run' && isStopSignal(value.signal);
}

/** See `isParentRequest`. */
export function isChildReport(value: unknown): value is ChildReport {
  if (!isRecord(value)) return false;
  if (value.type === 'run-started' || value.type === 'run-progressed') return true;
  return value.type === 'run-failed' && isFailure(value.failure);
}

function isFailure(value: unknown): value is Failure {
  return isRecord(value) && typeof value.code === 'string' && typeof value.message === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
