import type { StoreTraffic } from './store.ts';

/**
 * US dollars for 1,000 requests, S3 Standard in us-east-1. Requests that are not here are free, or none of S3's.
 * Source: https://aws.amazon.com/s3/pricing/ (2026-11)
 */
const DOLLARS_PER_1000: Readonly<Record<string, number>> = {
  PutObject: 0.005,
  CreateMultipartUpload: 0.005,
  UploadPart: 0.005,
  CompleteMultipartUpload: 0.005,
  ListObjectsV2: 0.005,
  ListMultipartUploads: 0.005,
  GetObject: 0.0004,
  HeadObject: 0.0004,
};

/**
 * What the requests would cost in a day that went on like this: an estimate, without storage and transfer.
 *
 * @param ms the time in which they were made
 * @returns US dollars; null when they are none of S3's
 */
export function s3DollarsPerDay({ requests }: Pick<StoreTraffic, 'requests'>, ms: number): number | null {
  const known = Object.entries(requests).filter(([name]) => name in DOLLARS_PER_1000 || name === 'DeleteObject');
  if (known.length === 0 || ms <= 0) return null;
  const dollars = known.reduce((sum, [name, count]) => sum + ((DOLLARS_PER_1000[name] ?? 0) * count) / 1000, 0);
  return (dollars * DAY_MS) / ms;
}

const DAY_MS = 86_400_000;
