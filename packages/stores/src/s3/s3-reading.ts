import { Readable } from 'node:stream';
import { StoreError } from '../errors.ts';
import type { GetOptions } from '../store.ts';
import type { Watch } from '../watch.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { badAnswer } from './s3-errors.ts';
import { ANSWER_BYTES_MAX } from './s3-limits.ts';
import type { Answer } from './s3-wire.ts';

/**
 * Reads an object, or a range of it, into memory of its own. Whole objects are checked against the checksum that they were
 * stored with, where the server has one; every answer against the length that it announced.
 */
export async function readObject(
  bucket: S3Bucket,
  name: string,
  options: Pick<GetOptions, 'offset' | 'length' | 'bytesMax'>,
  watch: Watch,
): Promise<Uint8Array> {
  const { offset = 0, length, bytesMax = ANSWER_BYTES_MAX } = options;
  // A range of no bytes cannot be asked for; that the object is there can.
  if (length === 0) {
    await orThrow(bucket.head(name, watch));
    return new Uint8Array(0);
  }
  const range = rangeHeader(offset, length);
  const answer = await bucket.get(name, range, watch);
  if (!answer.ok) {
    if (range !== undefined && answer.failure.s3Code === 'InvalidRange') return new Uint8Array(0);
    throw answer.failure.error;
  }
  const { Body, ContentLength, ContentRange } = answer.output;
  const about = bucket.about('GetObject', name);
  if (!(Body instanceof Readable)) throw badAnswer(about, 'the answer has no body');
  try {
    if (ContentLength === undefined) throw badAnswer(about, 'the answer does not say how long it is');
    if (range !== undefined && !startsAt(ContentRange, offset))
      throw badAnswer(about, 'a part was asked for, and the answer does not say that it is that part');
    if (length !== undefined && ContentLength > length)
      throw badAnswer(about, `${length} bytes were asked for, and ${ContentLength} came`);
    if (ContentLength > Math.min(bytesMax, ANSWER_BYTES_MAX)) throw tooLarge(about, ContentLength, bytesMax);
    return await gather(Body, ContentLength, {
      watch,
      onBytes: (count) => bucket.received(count),
      tooMany: () => badAnswer(about, `${ContentLength} bytes were announced, and more came`),
    });
  } catch (cause) {
    throw answer.failed(cause).error;
  } finally {
    Body.destroy();
  }
}

/** The output of a request, or its error thrown. */
export async function orThrow<O>(request: Promise<Answer<O>>): Promise<O> {
  const answer = await request;
  if (answer.ok) return answer.output;
  throw answer.failure.error;
}

interface Gathering {
  readonly watch: Watch;
  readonly onBytes: (count: number) => void;
  readonly tooMany: () => StoreError;
}

/** An error here is that of the connection, of the checksum, or of the watch. */
async function gather(body: Readable, sizeBytes: number, { watch, onBytes, tooMany }: Gathering): Promise<Uint8Array> {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  const chunks = body[Symbol.asyncIterator]();
  let done = 0;
  for (;;) {
    const { value, done: isOver } = await watch.race<IteratorResult<Uint8Array, undefined>>(chunks.next());
    if (isOver === true) break;
    watch.moved();
    onBytes(value.byteLength);
    if (done + value.byteLength > sizeBytes) throw tooMany();
    bytes.set(value, done);
    done += value.byteLength;
  }
  if (done < sizeBytes)
    throw Object.assign(new Error(`${sizeBytes} bytes were announced, ${done} came`), { code: 'ECONNRESET' });
  return bytes;
}

function rangeHeader(offset: number, length: number | undefined): string | undefined {
  if (length === undefined) return offset === 0 ? undefined : `bytes=${offset}-`;
  return `bytes=${offset}-${Math.min(offset + length - 1, Number.MAX_SAFE_INTEGER)}`;
}

function startsAt(contentRange: string | undefined, offset: number): boolean {
  const [, start] = /^bytes (\d+)-\d+\//.exec(contentRange ?? '') ?? [];
  return start !== undefined && Number(start) === offset;
}

function tooLarge(about: string, sizeBytes: number, bytesMax: number): StoreError {
  return new StoreError(
    'corrupt',
    'STORE_TOO_LARGE',
    `${about} would give ${sizeBytes} bytes, and at most ${bytesMax} are taken. It was not read. Look who else writes there.`,
  );
}
