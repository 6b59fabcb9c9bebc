import { StoreError } from '../errors.ts';
import { TEMP_FOLDER } from '../names.ts';
import { Watch } from '../watch.ts';
import { CallTime } from './call-time.ts';
import { PUT_ID, type Write } from './s3-bucket.ts';
import { orThrow } from './s3-reading.ts';
import { uploadLarge } from './s3-upload.ts';
import type { Answer } from './s3-wire.ts';
import type { WriterParts } from './s3-writer.ts';

const PROBE = new TextEncoder().encode(
  'This object shows what the server does when a name is taken. It may be deleted.\n',
);

/**
 * Whether a put can rely on this server: that it refuses a taken name, in one request and when it puts parts together, and
 * that it keeps the metadata in which the put id stands. Servers that do not know the condition answer every put with success.
 *
 * Writes one object under `tmp/`, which no listing shows, and deletes it. A probe that failed is made again under a new name,
 * so that no lost reply can make a good server look bad.
 *
 * @returns what is wrong, for people; null when all is well.
 * @throws as any call of a store, when the server cannot be asked.
 */
export async function whyUnsafe(
  parts: WriterParts,
  options: { readonly signal?: AbortSignal },
): Promise<string | null> {
  return parts.repeater.run(options, async (left) => {
    const name = `${TEMP_FOLDER}/probe-${parts.uniqueName()}`;
    const time = new CallTime(parts.clock, parts.limits, left, 'small');
    try {
      return await probe(parts, name, time);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'lost' && error.code !== 'STORE_ABORTED')
        throw new StoreError('retry', 'STORE_UNREACHABLE', error.message, { cause: error.cause });
      throw error;
    } finally {
      // What stays is one small object that nobody sees.
      await time.small((watch) => parts.bucket.delete(name, watch));
    }
  });
}

/** The error for a server on which two writers could both believe that they won. */
export function unsafe(url: string, why: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_UNSAFE',
    `${url} is not safe to write to: ${why}. So two processes could both believe that they stored the same object. Use a server ` +
      'that honours "If-None-Match: *" (AWS S3 does), or add unsafe-single-writer=true to the location if surely only one ' +
      'process ever writes there.',
  );
}

const REFUSES_ALL = 'the server refuses to store under a name that is free';
const UNKNOWN_CONDITION = 'the server does not know "If-None-Match: *"';
const IGNORES_CONDITION =
  'the server stored over an object that was there ("If-None-Match: *" of PutObject is ignored)';
const IGNORES_CONDITION_OF_PARTS =
  'the server stored over an object that was there ("If-None-Match: *" of CompleteMultipartUpload is ignored)';
const LOSES_METADATA = 'the server does not give back the metadata of an object ("x-amz-meta-…")';

async function probe(parts: WriterParts, name: string, time: CallTime): Promise<string | null> {
  const { bucket, uniqueName } = parts;
  const first: Write = { putId: uniqueName(), onto: 'free' };
  const second: Write = { putId: uniqueName(), onto: 'free' };
  const put = async (write: Write) => outcomeOf(await time.small((watch) => bucket.put(name, PROBE, write, watch)));
  const before = await put(first);
  if (before !== 'stored') return before === 'refused' ? REFUSES_ALL : UNKNOWN_CONDITION;
  const after = await put(second);
  if (after !== 'refused') return after === 'stored' ? IGNORES_CONDITION : UNKNOWN_CONDITION;
  const { Metadata = {} } = await time.small((watch) => orThrow(bucket.head(name, watch)));
  if (Metadata[PUT_ID] !== first.putId) return LOSES_METADATA;
  return (await putTogether(parts, name, { write: second, time })) === 'taken' ? null : IGNORES_CONDITION_OF_PARTS;
}

async function putTogether(
  parts: WriterParts,
  name: string,
  { write, time }: { readonly write: Write; readonly time: CallTime },
): Promise<'stored' | 'taken'> {
  const { bucket, clock } = parts;
  const watch = new Watch(clock, {});
  return uploadLarge(parts, name, {
    write,
    parts: [PROBE],
    time,
    watch,
    finish: async (uploaded) => {
      const outcome = outcomeOf(await time.small((request) => bucket.completeUpload(uploaded, write, request)));
      return outcome === 'refused' ? 'taken' : 'stored';
    },
    cleanUp: async (upload) => void (await time.small((request) => bucket.abortUpload(upload, request))),
  });
}

function outcomeOf(answer: Answer<unknown>): 'stored' | 'refused' | 'unknown' {
  if (answer.ok) return 'stored';
  const { error, outcome, s3Code } = answer.failure;
  if (outcome === 'refused') return 'refused';
  if (s3Code === 'NotImplemented') return 'unknown';
  throw error;
}
