import { readdir } from 'node:fs/promises';
import { openStore } from '@tidemark/stores';
import { JobError } from './errors.ts';

const BATCH_NAME = /^\d{20}-\d+\.ndjson$/;

/**
 * A run that begins from nothing needs output folders without records of another run: readers take all that is there.
 *
 * @throws JobError `OUTPUT_NOT_EMPTY`
 */
export async function assertOutputsEmpty(paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined || /^[a-z0-9+.-]{2,}:/i.test(path)) continue;
    const found = (await namesIn(path)).find((name) => BATCH_NAME.test(name));
    if (found === undefined) continue;
    throw new JobError(
      'OUTPUT_NOT_EMPTY',
      `${path} holds records of another run (${found}); a run that begins from nothing needs an output folder of its own: remove that folder or give another`,
    );
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch {
    // Not there, or not a folder: opening it for the first batch tells.
    return [];
  }
}

/** Makes the output folders and tries them, so that a job does not find out at its first batch. */
export async function assertOutputsWritable(paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined) continue;
    const store = await openStore(path);
    await store.close();
  }
}
