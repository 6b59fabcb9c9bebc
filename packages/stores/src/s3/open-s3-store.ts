import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.adapter.ts';
import { ReadOnlyStore } from '../read-only-store.ts';
import { Repeater } from '../repeater.ts';
import { RETRY_POLICY, type RetryPolicy } from '../retry-policy.ts';
import { RetryingStore } from '../retrying-store.ts';
import type { Store } from '../store.ts';
import { uniqueName } from '../unique-name.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3_LIMITS, type S3Limits } from './s3-limits.ts';
import { parseS3Location, type S3Location } from './s3-location.ts';
import { unsafe, whyUnsafe } from './s3-probe.ts';
import { loadSdk, makeClient } from './s3-sdk.ts';
import { type S3Parts, S3Store } from './s3-store.ts';
import { sweepUploads } from './s3-sweep.ts';
import { S3Wire } from './s3-wire.ts';

/** What may be given for the opening, and what is given from outside for tests. */
export interface S3OpenOptions {
  /** Ends the opening. */
  readonly signal?: AbortSignal;
  /** Bounds and sizes; those that are not given are `S3_LIMITS`. */
  readonly limits?: Partial<S3Limits>;
  readonly retryPolicy?: RetryPolicy;
  readonly clock?: Clock;
  readonly uniqueName?: () => string;
}

/**
 * Opens a store in a bucket of S3, or of a server that speaks S3: `s3://bucket/prefix?region=…&endpoint=…` (all parameters:
 * docs/stores.md). Credentials come from where the AWS SDK looks for them, never from the location. The package
 * `@aws-sdk/client-s3` must be installed; it is loaded here.
 *
 * The bucket must be there. Opening writes one small object under `tmp/` and deletes it again, to see that the server refuses
 * a taken name; and it ends uploads under the prefix that were never finished and are older than a day.
 *
 * @throws `StoreError`: `STORE_BAD_URL`, `STORE_INSECURE`, `STORE_NOT_INSTALLED`, `STORE_NOT_FOUND` (no such bucket), `STORE_UNSAFE`,
 * `STORE_CREDENTIALS`, `STORE_DENIED`, `STORE_UNREACHABLE`, `STORE_TIMEOUT`, …
 *
 * @example
 * const store = await openS3Store('s3://my-checkpoints/orders?region=eu-central-1');
 */
export async function openS3Store(location: string, options: S3OpenOptions = {}): Promise<Store> {
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

/**
 * Opens it to look at it: nothing is written, tried or cleaned up, so that rights to read and list are enough. Calls that would
 * change something reject with `STORE_READ_ONLY`.
 *
 * @throws as `openS3Store`, without `STORE_UNSAFE`.
 * @example
 * const store = await openS3StoreForReading('s3://my-checkpoints/orders?region=eu-central-1');
 */
export async function openS3StoreForReading(location: string, options: S3OpenOptions = {}): Promise<Store> {
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
