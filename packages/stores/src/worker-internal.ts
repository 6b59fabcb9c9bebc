/** What sibling packages use in worker threads too. Nothing that only the host needs may be reached from here: every thread loads it. */
export { StoreError, type StoreErrorCode, type StoreErrorKind } from './errors.ts';
