import type { Clock } from '../clock.ts';
import type { RetryPolicy } from '../retry-policy.ts';
import type { Store } from '../store.ts';
import type { S3Limits } from './s3-limits.ts';

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
  // Loaded here: a system whose checkpoints are in a folder starts without it.
  const { openBucket } = await import('./s3-opening.ts');
  return openBucket(location, options);
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
  const { openBucketForReading } = await import('./s3-opening.ts');
  return openBucketForReading(location, options);
}
