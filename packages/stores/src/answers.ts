import { StoreError } from './errors.ts';

/** The answers that all stores give in the same words. */

export function absent(name: string, url: string): StoreError {
  return new StoreError(
    'absent',
    'STORE_ABSENT',
    `There is no object ${name} in ${url}. List its folder to see what is there.`,
  );
}

export function nameTaken(name: string, url: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_NAME_TAKEN',
    `${name} in ${url} is taken and objects are never overwritten. Put under a name that nobody used before.`,
  );
}

/** Throws `STORE_TOO_LARGE` when an answer would have more bytes than the caller takes. */
export function refuseTooLarge(bytes: number, bytesMax: number | undefined, name: string, url: string): void {
  if (bytesMax === undefined || bytes <= bytesMax) return;
  throw new StoreError(
    'corrupt',
    'STORE_TOO_LARGE',
    `${name} in ${url} would give ${bytes} bytes, and at most ${bytesMax} may come. It was not read. Look who else writes there.`,
  );
}

/** Throws `STORE_ABORTED` when the caller gave the call up. Asked before each step until the object is published. */
export function refuseAborted(signal: AbortSignal | undefined, name: string): void {
  if (signal?.aborted !== true) return;
  throw new StoreError(
    'retry',
    'STORE_ABORTED',
    `The caller aborted the call for "${name}". Nothing was done; repeat it when wanted.`,
    {
      cause: signal.reason,
    },
  );
}

/** Throws a `RangeError` unless the asked range is one: a mistake in the calling code, not an answer of a store. */
export function checkRange(offset: number, length: number | undefined): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (isCount(offset) && (length === undefined || isCount(length))) return;
  throw new RangeError(`get: offset and length are whole numbers from 0 on, got offset ${offset} and length ${length}`);
}
