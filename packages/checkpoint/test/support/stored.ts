import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointRecord,
  decodeRecord,
  type FileRef,
  mergeFiles,
  type PartContent,
  readPart,
} from '@tidemark/checkpoint/internal';

/** All checkpoints of the job `main` in a folder, oldest first, with what they hold. */
export async function storedCheckpoints(
  store: string,
): Promise<{ readonly record: CheckpointRecord; readonly parts: readonly PartContent[] }[]> {
  const log = join(store, 'main/log');
  const bytesOf = async (file: FileRef): Promise<Uint8Array> =>
    'path' in file ? readFile(join(store, 'main', file.path)) : Buffer.from(file.inline, 'base64');
  const found: { record: CheckpointRecord; parts: readonly PartContent[] }[] = [];
  for (const name of (await readdir(log)).filter((each) => /^\d{20}$/.test(each)).sort()) {
    const record = decodeRecord(await readFile(join(log, name)), name);
    if (record.kind !== 'checkpoint') continue;
    const parts = record.parts.map(async ({ files }) =>
      mergeFiles((await Promise.all(files.map(bytesOf))).map((each) => readPart(each))),
    );
    found.push({ record, parts: await Promise.all(parts) });
  }
  return found;
}
