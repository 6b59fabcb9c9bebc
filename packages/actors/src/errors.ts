/** Codes of this package's errors. docs/errors.md says of each what happened and what to do. */
export type ActorErrorCode =
  | 'ACTORS_NOT_FOUND'
  | 'ASK_TIMEOUT'
  | 'BUFFER_NOT_MOVABLE'
  | 'BYTES_UNREADABLE'
  | 'CALL_INCOMPLETE'
  | 'CALL_TIMEOUT'
  | 'CTX_EXPIRED'
  | 'DATA_NOT_SERIALISABLE'
  | 'DEAD_LETTER'
  | 'DEAD_LETTERS_SPENT'
  | 'DEFINITION_CLASH'
  | 'DELAY_INVALID'
  | 'DEFINITIONS_DIFFER'
  | 'DEFINITION_INVALID'
  | 'DEFINITION_UNKNOWN'
  | 'HANDLER_ASYNC'
  | 'HANDLER_UNKNOWN'
  | 'MAILBOX_FULL'
  | 'MEMORY_SPENT'
  | 'MESSAGE_TOO_LARGE'
  | 'MODULE_FAILED'
  | 'NEEDS_TSX'
  | 'NOT_ON_HOST'
  | 'OVERRUN'
  | 'REQUEST_ID_REUSED'
  | 'ROLLED_BACK'
  | 'SERVICE_INTERRUPTED'
  | 'SERVICE_THREW'
  | 'SYSTEM_STOPPED'
  | 'TURN_THREW'
  | 'WORKER_LOST'
  | 'WORKER_START'
  | 'WORKER_STUCK';

/** Which actor. */
export interface ActorAddress {
  readonly type: string;
  readonly key: string;
}

/** The one error class of this package: a code to act on, a message for people, the cause kept. */
export class ActorError extends Error {
  override readonly name = 'ActorError';
  readonly code: ActorErrorCode;
  /** Whose turn threw; not there where no turn did. */
  readonly actor: ActorAddress | undefined;

  constructor(
    code: ActorErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly actor?: ActorAddress },
  ) {
    super(message, options);
    this.code = code;
    this.actor = options?.actor;
  }
}

/**
 * Thrown by a handler to say "no, and I changed nothing". Its sends are dropped; whoever asked gets the code.
 *
 * @example
 * if (ctx.state.balance < amount) throw new Refusal('TOO_LITTLE');
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;

  constructor(code: string, message: string = code) {
    super(message);
    this.code = code;
  }
}

/** An error as it crosses a thread: by its code, since a posted Error loses class, name and code. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: ErrorData | undefined;
  readonly actor?: ActorAddress | undefined;
}

const CAUSES_MAX = 4;

export function errorToData(error: unknown, depth = 0): ErrorData {
  if (!(error instanceof Error)) {
    return { code: 'THROWN', message: describeThrown(error), stack: undefined, cause: undefined };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const cause = error.cause === undefined || depth >= CAUSES_MAX ? undefined : errorToData(error.cause, depth + 1);
  const actor = error instanceof ActorError ? error.actor : undefined;
  return { code, message: error.message, stack: error.stack, cause, actor };
}

/** An error that came from another thread; `code` is the original's. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly code: string;
  readonly actor: ActorAddress | undefined;

  constructor(data: ErrorData) {
    super(data.message, data.cause === undefined ? undefined : { cause: new RemoteError(data.cause) });
    this.code = data.code;
    this.actor = data.actor;
    if (data.stack !== undefined) this.stack = data.stack;
  }
}

function describeThrown(value: unknown): string {
  try {
    return `a value that is not an Error was thrown: ${String(value)}`;
  } catch {
    return 'a value that is not an Error was thrown, and it cannot be shown';
  }
}

/** For the `default` of a switch over a union: a forgotten case does not compile. */
export function assertNever(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
