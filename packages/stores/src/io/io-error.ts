import { StoreError } from '../errors.ts';
import type { IoError } from './io-messages.ts';

export function errorToData(error: unknown): IoError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), store: null, cause: null };
  const { name, message, cause } = error;
  const store = error instanceof StoreError ? { kind: error.kind, code: error.code } : null;
  return { name, message, store, cause: cause instanceof Error ? `${cause.name}: ${cause.message}` : null };
}

/** The error again, for who made the call; `reason` is why it was aborted, if it was. */
export function errorOfData({ name, message, store, cause }: IoError, reason: unknown): Error {
  const because = store?.code === 'STORE_ABORTED' ? reason : cause === null ? undefined : new Error(cause);
  if (store !== null) return new StoreError(store.kind, store.code, message, { cause: because });
  return name === 'RangeError' ? new RangeError(message, { cause: because }) : new Error(message, { cause: because });
}
