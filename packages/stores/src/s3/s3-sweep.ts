import type { StoreError } from '../errors.ts';
import { CallTime } from './call-time.ts';
import { STALE_UPLOADS_MAX, STALE_UPLOAD_MS, SWEEP_MS } from './s3-limits.ts';
import type { WriterParts } from './s3-writer.ts';

/**
 * Ends large uploads under the prefix that were begun more than a day ago and never finished: those of processes that were
 * killed. Their parts cost money and nobody sees them.
 *
 * Politeness, bounded in number and time: a failure changes nothing, since the next opening tries again, and the bucket's own
 * lifecycle rule (docs/stores.md) does the same. Ages are told by the server's clock alone.
 */
export async function sweepUploads({ bucket, clock, limits }: WriterParts): Promise<void> {
  const time = new CallTime(clock, limits, { deadlineMs: SWEEP_MS }, 'small');
  const answer = await time.small((watch) => bucket.listUploads(watch));
  if (!answer.ok) return;
  const now = Date.parse(answer.headers['date'] ?? '');
  // Where the server does not tell its time, no upload is old.
  const isStale = (begun: Date | undefined) => begun !== undefined && now - begun.getTime() > STALE_UPLOAD_MS;
  const stale = (answer.output.Uploads ?? []).filter(({ Initiated }) => isStale(Initiated)).slice(0, STALE_UPLOADS_MAX);
  for (const { Key = '', UploadId = '' } of stale) {
    const name = bucket.nameOf(Key);
    if (name === undefined) continue;
    const ended = await time.small((watch) => bucket.abortUpload({ name, id: UploadId }, watch));
    if (!ended.ok && isOver(ended.failure.error)) return;
  }
}

/** Whether the server has no time for this now. */
function isOver({ kind }: StoreError): boolean {
  return kind === 'retry' || kind === 'denied';
}
