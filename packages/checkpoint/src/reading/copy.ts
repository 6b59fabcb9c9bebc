import type { Store } from '@tidemark/stores';
import { boundaryName, encodeBoundary } from '../boundary.ts';
import { CheckpointError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { logName } from '../log.ts';
import { filesOf } from '../record.ts';
import type { CheckpointView } from './checkpoint-view.ts';
import { verifyLog } from './verify.ts';

export interface Copied {
  readonly job: string;
  readonly position: number;
  /** Parts that are objects of their own. */
  readonly parts: number;
  /** Of the record and these parts. */
  readonly bytes: number;
}

/**
 * Copies one checkpoint into another store, under the same position, and verifies it there. A start from that store goes
 * on from it. Parts come first, then the record, which makes it exist, then a boundary: nothing below it is missing there.
 * A copy that was interrupted is finished by copying again.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when it is not whole here or there, `STORE_NOT_EMPTY` when the other store
 * holds other records of the job
 */
export async function copyCheckpoint(view: CheckpointView, from: Store, to: Store): Promise<Copied> {
  const { job, record, hash, parts } = view;
  const { position, term, cut } = record;
  for (const part of parts) if (!part.ok) throw part.error;
  await assertRoom(to, job, position, hash);
  let bytes = 0;
  let files = 0;
  for (const path of filesOf(record)) {
    const name = `${job}/${path}`;
    const part = await from.get(name);
    await to.putIfAbsent(name, part);
    bytes += part.length;
    files++;
  }
  const name = logName(job, position);
  const own = await from.get(name);
  await to.putIfAbsent(name, own);
  await to.putIfAbsent(boundaryName(job, position), encodeBoundary({ position, hash, term, cut }));
  const { findings } = await verifyLog(to, job, null);
  const [finding] = findings;
  if (finding !== undefined) {
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `the copy in ${to.url} is not whole: ${finding.object} ${finding.message}`,
    );
  }
  return { job, position, parts: files, bytes: bytes + own.length };
}

/** A log is one line: a checkpoint of elsewhere cannot come into the middle of another. */
async function assertRoom(to: Store, job: string, position: number, hash: string): Promise<void> {
  const names = await to.list(`${job}/log/`);
  if (names.length === 0) return;
  const name = logName(job, position);
  const isSame = names.length === 1 && names[0] === name && sha256(await to.get(name)) === hash;
  if (isSame) return;
  throw new CheckpointError(
    'STORE_NOT_EMPTY',
    `${to.url} holds checkpoints of job '${job}' already: a copy goes into a store without any. Nothing was copied.`,
  );
}
