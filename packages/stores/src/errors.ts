/** What the caller of a store should do about an error. */
export type StoreErrorKind =
  /** Nothing was done; the same call may succeed later. */
  | 'retry'
  /** The store surely answered that there is no such object. */
  | 'absent'
  /** The outcome is not known: read back and compare. */
  | 'lost'
  /** The store refuses us: rights, credentials, read-only. */
  | 'denied'
  /** Bytes are not what they must be. */
  | 'corrupt'
  /** Repeating the call cannot help. */
  | 'fatal';

export type StoreErrorCode =
  | 'STORE_ABSENT'
  | 'STORE_ABORTED'
  | 'STORE_BAD_ANSWER'
  | 'STORE_BAD_NAME'
  | 'STORE_BAD_URL'
  | 'STORE_BUSY'
  | 'STORE_CLOCK_SKEW'
  | 'STORE_CORRUPT'
  | 'STORE_CREDENTIALS'
  | 'STORE_DENIED'
  | 'STORE_FULL'
  | 'STORE_INSECURE'
  | 'STORE_IO'
  | 'STORE_NAME_TAKEN'
  | 'STORE_NOT_A_FOLDER'
  | 'STORE_NOT_FOUND'
  | 'STORE_NOT_INSTALLED'
  | 'STORE_OUTCOME_UNKNOWN'
  | 'STORE_READ_ONLY'
  | 'STORE_REDIRECT_REFUSED'
  | 'STORE_TIMEOUT'
  | 'STORE_TOO_LARGE'
  | 'STORE_UNREACHABLE'
  | 'STORE_UNSAFE';

/** The one error class of this package. `message` says what happened, to which object, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly code: StoreErrorCode;

  constructor(kind: StoreErrorKind, code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
    this.code = code;
  }
}
