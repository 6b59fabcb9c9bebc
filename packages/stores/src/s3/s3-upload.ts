import { crc32 } from 'node:zlib';
import { StoreError } from '../errors.ts';
import type { Repeater } from '../repeater.ts';
import type { Watch } from '../watch.ts';
import type { CallTime } from './call-time.ts';
import type { Part, S3Bucket, Upload, Uploaded, Write } from './s3-bucket.ts';
import { badAnswer } from './s3-errors.ts';
import { PARTS_MAX, type S3Limits } from './s3-limits.ts';
import { orThrow } from './s3-reading.ts';

/** What an upload is made with. */
export interface UploadParts {
  readonly bucket: S3Bucket;
  readonly repeater: Repeater;
  readonly limits: S3Limits;
}

/**
 * Brings the parts of a large object to the server, a few at once. The next part is taken from the body only when one of those
 * under way is done, so a slow server slows its writer down. A part that failed is sent again: parts are there in memory,
 * also those of a body that can be read once only, and nothing is visible yet, so that repeating one does no harm.
 *
 * On any failure, of the body too, the parts under way are stopped, the server is asked to forget all of them, and what failed
 * first is thrown as it is.
 *
 * `finish` puts the parts together; its failure is a failure of the upload.
 */
export async function uploadLarge(
  { bucket, repeater, limits }: UploadParts,
  name: string,
  object: {
    readonly write: Write;
    readonly parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
    readonly time: CallTime;
    /** Ends the wait for the body, and through `time` the requests that are under way. */
    readonly watch: Watch;
    readonly finish: (uploaded: Uploaded) => Promise<'stored' | 'taken'>;
    readonly cleanUp: (upload: Upload) => Promise<void>;
  },
): Promise<'stored' | 'taken'> {
  const { write, time, watch } = object;
  const begun = await repeater.run(time.left, () =>
    time.small((request) => orThrow(bucket.beginUpload(name, write, request))),
  );
  if (begun.UploadId === undefined)
    throw badAnswer(bucket.about('CreateMultipartUpload', name), 'the answer names no upload');
  const upload: Upload = { name, id: begun.UploadId };
  const parts: Part[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let checksum = 0;
  let sizeBytes = 0;
  let number = 0;

  const send = async (part: { readonly number: number; readonly bytes: Uint8Array; readonly crc32: string }) => {
    const output = await repeater.run(
      time.leftForBulk,
      () => time.bulk((request) => orThrow(bucket.uploadPart(upload, part, request))),
      { withinMs: Number.POSITIVE_INFINITY },
    );
    if (output.ETag === undefined) throw badAnswer(bucket.about('UploadPart', name), 'the answer has no ETag');
    parts.push({ number: part.number, etag: output.ETag, crc32: part.crc32 });
  };
  const start = (bytes: Uint8Array) => {
    const sending = send({ number, bytes, crc32: base64(crc32(bytes)) })
      .catch((error: unknown) => {
        failure ??= { error };
        watch.stop(error);
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  };

  try {
    for await (const bytes of raced(object.parts, watch)) {
      if (++number > PARTS_MAX) throw tooLarge(bucket.about('put', name), limits);
      while (underWay.size >= limits.partsAtOnce && failure === undefined) await Promise.race(underWay);
      if (failure !== undefined) break;
      checksum = crc32(bytes, checksum);
      sizeBytes += bytes.byteLength;
      start(bytes);
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.error;
    parts.sort((one, other) => one.number - other.number);
    const answer = await object.finish({ upload, parts, crc32: base64(checksum), sizeBytes });
    if (answer !== 'stored') await object.cleanUp(upload);
    return answer;
  } catch (error) {
    watch.stop(error);
    await Promise.all(underWay);
    await object.cleanUp(upload);
    throw failure?.error ?? error;
  }
}

/** Parts of a body that may be stuck. */
async function* raced(
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  if (Symbol.iterator in parts) return yield* parts;
  const all = parts[Symbol.asyncIterator]();
  try {
    for (let next = await watch.race(all.next()); next.done !== true; next = await watch.race(all.next()))
      yield next.value;
  } finally {
    void Promise.resolve(all.return?.()).catch(() => undefined);
  }
}

/** As S3 writes it: four bytes, the highest first. */
function base64(checksum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}

function tooLarge(about: string, { partBytes }: S3Limits): StoreError {
  return new StoreError(
    'fatal',
    'STORE_TOO_LARGE',
    `${about} failed: the object has more than ${PARTS_MAX} parts of ${partBytes} bytes. Split it.`,
  );
}
