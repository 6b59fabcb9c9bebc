/** Codes of the test kit's errors. docs/errors.md says of each what happened and what to do. */
export type TestKitErrorCode =
  | 'TEST_NOT_QUIET'
  | 'TEST_NOTHING_RAN'
  | 'TEST_NO_SUCH_QUESTION'
  | 'TEST_OPTIONS'
  | 'TEST_SEED_FAILED'
  | 'TEST_STATE_OUTSIDE';

/** What the test kit finds: a code to act on, a message for people, the cause kept. */
export class TestKitError extends Error {
  override readonly name = 'TestKitError';
  readonly code: TestKitErrorCode;

  constructor(code: TestKitErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
