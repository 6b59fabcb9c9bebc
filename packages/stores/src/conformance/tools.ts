import assert from 'node:assert/strict';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import type { Store } from '../store.ts';

/** Rules of the contract by name; each rejects when the store breaks it. */
export type Rules = Readonly<Record<string, (store: Store) => Promise<void>>>;

export const BIG_BYTES = 8 * 1024 * 1024;
export const RACERS = 30;

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A store may answer a subclass such as `Buffer`; only the bytes count. */
export function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

export function logName(position: number): string {
  return `log/${String(position).padStart(20, '0')}`;
}

/** Bytes without a short period, so that a missing, doubled or misplaced block shows. */
export function pattern(sizeBytes: number): Uint8Array {
  const words = new Uint32Array(sizeBytes / 4);
  let word = 1;
  for (let index = 0; index < words.length; index++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = word;
  }
  return new Uint8Array(words.buffer);
}

export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export async function* slices(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += sizeBytes) yield bytes.subarray(offset, offset + sizeBytes);
}

export async function holds(store: Store, name: string, expected: Uint8Array): Promise<void> {
  const got = await store.get(name);
  assert.equal(got.byteLength, expected.byteLength, `size of ${name}`);
  assert.ok(Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength).equals(got), `bytes of ${name}`);
}

export async function rejectsWith(call: Promise<unknown>, code: StoreErrorCode, about = ''): Promise<StoreError> {
  const error = await call.then(
    () => assert.fail(`expected ${code}, but the call resolved ${JSON.stringify(about)}`),
    (reason: unknown) => reason,
  );
  return assertCode(error, code);
}

export function assertCode(error: unknown, code: StoreErrorCode): StoreError {
  if (!(error instanceof StoreError)) throw error;
  assert.equal(error.code, code, error.message);
  return error;
}
