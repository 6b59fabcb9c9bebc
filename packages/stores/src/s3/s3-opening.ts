import { systemClock } from '../clock.adapter.ts';
import { ReadOnlyStore } from '../read-only-store.ts';
import { Repeater } from '../repeater.ts';
import { RETRY_POLICY } from '../retry-policy.ts';
import { RetryingStore } from '../retrying-store.ts';
import type { Store } from '../store.ts';
import { uniqueName } from '../unique-name.ts';
import type { S3OpenOptions } from './open-s3-store.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3_LIMITS } from './s3-limits.ts';
import { parseS3Location, type S3Location } from './s3-location.ts';
import { unsafe, whyUnsafe } from './s3-probe.ts';
import { loadSdk, makeClient } from './s3-sdk.ts';
import { type S3Parts, S3Store } from './s3-store.ts';
import { sweepUploads } from './s3-sweep.ts';
import { S3Wire } from './s3-wire.ts';

export async function openBucket(location: string, options: S3OpenOptions): Promise<Store> {
  const { parts, repeater, unsafeSingleWriter } = await makeParts(location, options);
  try {
    const { signal } = options;
    const why = await whyUnsafe(parts, signal === undefined ? {} : { signal });
    if (why !== null && !unsafeSingleWriter) throw unsafe(parts.url, why);
    await sweepUploads(parts);
    return new RetryingStore(new S3Store({ ...parts, conditionalWrites: why === null }), repeater);
  } catch (error) {
    parts.wire.close();
    throw error;
  }
}

export async function openBucketForReading(location: string, options: S3OpenOptions): Promise<Store> {
  const { parts, repeater } = await makeParts(location, options);
  const store = new RetryingStore(new S3Store(parts), repeater);
  try {
    // Shows now, not at the first question, that there is a bucket and that it may be read.
    await store.list('', { after: LAST_NAME, ...(options.signal === undefined ? {} : { signal: options.signal }) });
    return new ReadOnlyStore(store);
  } catch (error) {
    parts.wire.close();
    throw error;
  }
}

/** No name comes after it, so a listing from there is one short page. */
const LAST_NAME = '~';

interface Made {
  readonly parts: S3Parts;
  readonly repeater: Repeater;
  readonly unsafeSingleWriter: boolean;
}

async function makeParts(location: string, options: S3OpenOptions): Promise<Made> {
  const parsed: S3Location = parseS3Location(location);
  const sdk = await loadSdk(parsed.url);
  const clock = options.clock ?? systemClock;
  const repeater = new Repeater(clock, options.retryPolicy ?? RETRY_POLICY);
  const wire = new S3Wire(makeClient(sdk, parsed), parsed);
  const parts: S3Parts = {
    url: parsed.url,
    wire,
    bucket: new S3Bucket(sdk, wire, parsed),
    clock,
    repeater,
    limits: { ...S3_LIMITS, ...options.limits },
    uniqueName: options.uniqueName ?? uniqueName,
    conditionalWrites: true,
  };
  return { parts, repeater, unsafeSingleWriter: parsed.unsafeSingleWriter };
}
