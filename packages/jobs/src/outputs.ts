import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError } from '@tidemark/checkpoint';
import { allowNetworkFolder } from '@tidemark/stores';
import { withoutSecrets } from '@tidemark/stores/internal';
import { JobError } from './errors.ts';
import type { FileAccess } from './input/file-access.ts';
import type { JobOutside } from './job-environment.ts';
import type { RunOptions } from './run-events.ts';
import type { JobWorkerData } from './worker-messages.ts';

/** Where a run's records and its bad rows go; part of each checkpoint, since batches wait in it. */
export interface Outputs {
  readonly output: string | null;
  readonly badRows: string | null;
}

export const NO_OUTPUTS: Outputs = { output: null, badRows: null };

const BAD_ROWS_FILE = 'file:';

/**
 * @throws JobError `OUTPUT_NOT_A_FOLDER`, `CONFIG_INVALID`
 */
export function outputsOf(options: RunOptions): Outputs {
  const bad = options.badRows?.startsWith(BAD_ROWS_FILE) === true ? options.badRows.slice(BAD_ROWS_FILE.length) : null;
  const outputs = { output: placeOf(options.output ?? null), badRows: placeOf(bad) };
  if (outputs.output !== null && outputs.output === outputs.badRows) {
    throw new JobError(
      'CONFIG_INVALID',
      `output and bad rows both go to ${outputs.output}: give each a folder of its own`,
    );
  }
  return outputs;
}

/** Where a worker puts records, and what it does with a row that cannot be read. */
export function sinksOf({ output, badRows }: Outputs, options: RunOptions): Pick<JobWorkerData, 'output' | 'badRows'> {
  const opened = (path: string): string => (options.allowNfs === true ? allowNetworkFolder(path) : path);
  return {
    output: output === null ? null : opened(output),
    badRows:
      badRows === null
        ? { kind: options.badRows === 'skip' ? 'skip' : 'stop' }
        : { kind: 'file', location: opened(badRows) },
  };
}

/** Stores over a network: their clients and credentials are in a thread of their own, which the threads of a job do not reach. */
const FAR_AWAY = /^(?:s3|hdfs|webhdfs|swebhdfs):/i;

/** A folder's absolute path, so that a later start elsewhere finds it; the URL of another kind of store as it is. */
function placeOf(location: string | null): string | null {
  if (location === null) return null;
  if (FAR_AWAY.test(location)) {
    throw new JobError(
      'OUTPUT_NOT_A_FOLDER',
      `${withoutSecrets(location)}: in this version output and bad rows go to folders only, checkpoints to S3 and HDFS too. Give a folder, and copy its files from there`,
    );
  }
  if (location.startsWith('file:')) return fileURLToPath(location);
  return /^[a-z][a-z0-9+.-]+:/i.test(location) ? location : resolve(location);
}

/** A run goes on writing where it wrote, also if that is not named again: batches that wait must find their place. */
export function goOnWriting(
  options: RunOptions,
  before: Outputs,
  warn: (code: string, message: string) => void,
): Outputs {
  const now = outputsOf(options);
  for (const name of ['output', 'badRows'] as const) {
    if (now[name] === null || now[name] === before[name]) continue;
    const since = before[name] === null ? 'what came before was not kept' : `what came before is in ${before[name]}`;
    warn('OUTPUT_CHANGED', `from this checkpoint on records go to ${now[name]}; ${since}`);
  }
  return { output: now.output ?? before.output, badRows: now.badRows ?? before.badRows };
}

const BATCH_NAME = /^\d{20}-\d+\.ndjson$/;

/**
 * A run that begins from nothing needs output folders without records of another run: readers take all that is there.
 *
 * @throws JobError `OUTPUT_NOT_EMPTY`
 */
export async function assertOutputsEmpty({ files }: JobOutside, { output, badRows }: Outputs): Promise<void> {
  for (const path of [output, badRows]) {
    if (path === null) continue;
    const found = (await namesIn(files, path)).find((name) => BATCH_NAME.test(name));
    if (found === undefined) continue;
    throw new JobError(
      'OUTPUT_NOT_EMPTY',
      `${path} holds records of another run (${found}); a run that begins from nothing needs an output folder of its own: remove that folder or give another`,
    );
  }
}

/** A start that goes on from a checkpoint, as far as its outputs can contradict it. */
export interface GoingOn {
  readonly position: number;
  readonly location: string;
  readonly job: string;
  /** The command that goes on from `position` all the same. */
  readonly command: string;
}

/**
 * A batch has the name of the record that released it. One that is newer than the checkpoint to go on from, and whose
 * record the log does not hold, shows that the log has lost its end: its records would be written a second time.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED`
 */
export async function assertNothingLost(
  outside: JobOutside,
  { output, badRows }: Outputs,
  going: GoingOn,
): Promise<void> {
  const { files } = outside;
  for (const path of [output, badRows]) {
    if (path === null) continue;
    const newer = (await namesIn(files, path))
      .filter((name) => BATCH_NAME.test(name) && positionOf(name) > going.position)
      .sort();
    const newest = newer.at(-1);
    // The end of a line that was abandoned with --from is in the log still.
    if (newest === undefined || (await isInLog(outside, going, positionOf(newest)))) continue;
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `${path} holds ${newest}, but ${going.location} has no checkpoint ${positionOf(newest)} that released it: the end of the log of '${going.job}' was lost. ` +
        `Put it back. Or, if it is gone: remove the files from ${newer[0]} on, and go on from checkpoint ${going.position}, which makes their records again: ${going.command}`,
    );
  }
}

async function isInLog({ openStore }: JobOutside, { location, job }: GoingOn, position: number): Promise<boolean> {
  const store = await openStore(location);
  try {
    const names = await store.list(`${job}/log/`);
    return names.some((name) => name.endsWith(`/${String(position).padStart(20, '0')}`));
  } finally {
    await store.close();
  }
}

function positionOf(batchName: string): number {
  return Number.parseInt(batchName, 10);
}

async function namesIn(files: FileAccess, path: string): Promise<readonly string[]> {
  try {
    return await files.names(path);
  } catch {
    // Not there, or not a folder: opening it for the first batch tells.
    return [];
  }
}

/** Makes the output folders and tries them, so that a job does not find out at its first batch. */
export async function assertOutputsWritable({ openStore }: JobOutside, { output, badRows }: Outputs): Promise<void> {
  for (const path of [output, badRows]) {
    if (path === null) continue;
    const store = await openStore(path);
    await store.close();
  }
}
