import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import type { Log } from './log.ts';
import { readVerifiedFile } from './part-reading.ts';
import { listMarks, markedPositions } from './pin.ts';
import { readPinned } from './read-pinned.ts';
import type { CheckpointRecord } from './record.ts';

/**
 * The newest checkpoint below a position that a person can go back to, or null: of the log, then of those that are marked below
 * the boundary. Where a file is damaged that many checkpoints share, it is the first one that does without it.
 */
export async function wholeCheckpointBelow(
  { log, store, job }: { readonly log: Log; readonly store: Store; readonly job: string },
  below: number,
): Promise<number | null> {
  /** Each file is read once, whether it was good. */
  const files = new Map<string, boolean>();
  for (let position = await log.below(below); position >= log.first; position = await log.below(position)) {
    const found = await log.read(position);
    if (!found.ok || found.record.kind !== 'checkpoint') continue;
    if (await isWhole(store, job, found.record, files)) return position;
  }
  const marked = markedPositions(await listMarks(store, job)).filter(
    (position) => position < Math.min(below, log.first),
  );
  for (const position of marked.toReversed()) {
    const found = await readPinned(store, job, position);
    if (found.ok && (await isWhole(store, job, found.record, files))) return position;
  }
  return null;
}

async function isWhole(
  store: Store,
  job: string,
  record: CheckpointRecord,
  files: Map<string, boolean>,
): Promise<boolean> {
  for (const { thread, files: refs } of record.parts) {
    for (const ref of refs) {
      const key = 'path' in ref ? ref.path : ref.sha256;
      let isGood = files.get(key);
      if (isGood === undefined) {
        isGood = await succeeds(() => readVerifiedFile(store, job, record, thread, ref));
        files.set(key, isGood);
      }
      if (!isGood) return false;
    }
  }
  return true;
}

async function succeeds(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}
