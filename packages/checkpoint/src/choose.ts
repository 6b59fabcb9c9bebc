import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import type { Log } from './log.ts';
import type { PartContent } from './part.ts';
import { readParts } from './part-reading.ts';
import { isMarked, listMarks } from './pin.ts';
import { readPinned } from './read-pinned.ts';
import type { CheckpointRecord, TermRecord } from './record.ts';
import { wholeCheckpointBelow } from './whole-checkpoint.ts';

export interface ChooseOptions {
  readonly fresh: boolean;
  /** Position that a person named; null for the newest. */
  readonly from: number | null;
  readonly acceptDuplicates: boolean;
  /** The command that goes on from a position, for messages. */
  readonly command: (position: number) => string;
  readonly warn: (code: string, message: string) => void;
}

/** What a start goes on from. */
export interface Choice {
  /** Highest term that the log shows. */
  readonly term: number;
  /** Highest cut number that the log shows. */
  readonly cut: number;
  readonly checkpoint: { readonly record: CheckpointRecord; readonly parts: readonly PartContent[] } | null;
  /** The newest record, where it is the begin of an owner that has published nothing. */
  readonly begun: TermRecord | null;
}

interface Place {
  readonly log: Log;
  readonly store: Store;
  readonly job: string;
}

/**
 * Chooses the checkpoint to go on from: the newest whole one in the log's line (C13–C16).
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when something that counts is damaged, `CHECKPOINT_UNKNOWN` when the
 * position that was asked for is no checkpoint, `DUPLICATES_NOT_ACCEPTED` when going back would release output again
 */
export async function choose(log: Log, store: Store, job: string, options: ChooseOptions): Promise<Choice> {
  let position = log.last;
  /** What a term record says that its owner went on from. */
  let named: number | null = null;
  let skipped: { readonly record: CheckpointRecord; readonly error: CheckpointError } | null = null;
  /** Newest position above the one asked for that has released something. */
  let released: number | null = null;
  const used = await numbersUsed(log);
  const place = { log, store, job };
  if (options.fresh) return { ...used, checkpoint: null };
  let gap = false;
  while (position >= log.first) {
    const found = await log.read(position);
    if (!found.ok) {
      // A person has named an older one; what this record has released, nobody can tell.
      const passed = options.from !== null && options.from < position && options.acceptDuplicates;
      if (!passed) throw await damaged(found.error, position, place, options);
      position = await log.below(position);
      continue;
    }
    const { record } = found;
    if (record.kind === 'gap') {
      gap = true;
      position -= 1;
      continue;
    }
    if (record.kind === 'term') {
      if (options.from !== null) position -= 1;
      else if (record.from === 'fresh') position = BEGINNING;
      else named = position = record.from;
      continue;
    }
    if (options.from !== null && position !== options.from) {
      if (record.releases) released ??= position;
      position = await log.below(position);
      continue;
    }
    if (!options.acceptDuplicates && (await isCopy(log, position)))
      throw copyRefused(options, position, log, store.url);
    if (released !== null && !options.acceptDuplicates)
      throw releasedSince(options, `checkpoint ${released} has released output`);
    try {
      const parts = await readParts(store, job, record);
      if (skipped !== null) tellSkipped(skipped, position, options);
      return { ...used, checkpoint: { record, parts } };
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== 'CHECKPOINT_DAMAGED') throw error;
      if (record.releases || options.from !== null) throw await damaged(error, position, place, options);
      skipped ??= { record, error };
      position = await log.below(position);
    }
  }
  // Below the boundary only what is marked is there to be used, and only where it is named (C30).
  const marked = options.from ?? (position === named ? named : null);
  if (marked !== null && marked < log.first) {
    const checkpoint = await readMarked(place, marked, options);
    if (checkpoint !== null && skipped !== null) tellSkipped(skipped, marked, options);
    if (checkpoint !== null) return { ...used, checkpoint };
  }
  if (options.from !== null) {
    throw new CheckpointError(
      'CHECKPOINT_UNKNOWN',
      `there is no checkpoint at position ${options.from} of job '${job}' in ${store.url}`,
    );
  }
  if (skipped !== null) throw await damaged(skipped.error, skipped.record.position, place, options);
  if (gap) {
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `${store.url} is for copies of job '${job}', and none of them is complete. --fresh begins again.`,
    );
  }
  // Below the boundary there was something: that it is gone does not make it "nothing" (C16).
  if (position !== BEGINNING && log.boundary !== null) {
    const what = `the log of job '${job}' in ${store.url} leads below its boundary ${log.boundary.position}, where nothing of it is left`;
    throw await damaged(new CheckpointError('CHECKPOINT_DAMAGED', what), log.first, place, options);
  }
  return { ...used, checkpoint: null };
}

/** A checkpoint below the boundary, verified by its pin; null when there is none, or it is being removed. */
async function readMarked(place: Place, position: number, options: ChooseOptions): Promise<Choice['checkpoint']> {
  const { store, job } = place;
  if (!isMarked(await listMarks(store, job), position)) return null;
  const { from, acceptDuplicates } = options;
  if (from !== null && !acceptDuplicates)
    throw releasedSince(options, 'checkpoints that were removed meanwhile may have released output');
  const found = await readPinned(store, job, position);
  if (!found.ok) throw await damaged(found.error, position, place, options);
  const { record } = found;
  try {
    return { record, parts: await readParts(store, job, record) };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw await damaged(error, position, place, options);
  }
}

/**
 * The highest term and cut number that may have been used, abandoned lines and records that cannot be read included:
 * neither is used again (C7). Both only rise along the log, so the newest readable records tell; what cannot be read
 * may have used one more each.
 */
async function numbersUsed(log: Log): Promise<Omit<Choice, 'checkpoint'>> {
  let term: number | null = null;
  let begun: TermRecord | null = null;
  let unread = 0;
  for (let position = log.last; position >= log.first; position = await log.below(position)) {
    const found = await log.read(position);
    if (!found.ok) {
      unread += 1;
      continue;
    }
    const { record } = found;
    term ??= record.term + unread;
    if (record.kind === 'checkpoint') return { term, cut: record.cut + unread, begun };
    if (position === log.last && record.kind === 'term') begun = record;
  }
  return { term: term ?? unread, cut: unread, begun };
}

/** Where a line of the log begins. */
const BEGINNING = 0;

function tellSkipped(
  skipped: { readonly record: CheckpointRecord; readonly error: CheckpointError },
  position: number,
  options: ChooseOptions,
): void {
  options.warn(
    'CHECKPOINT_DAMAGED',
    `${skipped.error.message}. It released nothing, so the older checkpoint ${position} is used instead; the damaged files are left where they are.`,
  );
}

async function damaged(
  error: CheckpointError,
  position: number,
  place: Place,
  options: ChooseOptions,
): Promise<CheckpointError> {
  // Not damage: a record of a newer version is whole, and going back would be the wrong advice.
  if (error.code === 'CHECKPOINT_INCOMPATIBLE') return error;
  const older = await wholeCheckpointBelow(place, position);
  const help =
    older === null
      ? nothingOlder(place.log)
      : `What it released (output, answers) may come a second time if you go back to an older one: ${options.command(older)}`;
  return new CheckpointError('CHECKPOINT_DAMAGED', `${error.message}. ${help}`, { cause: error });
}

function nothingOlder({ boundary }: Log): string {
  if (boundary?.copyOf === undefined) return 'No older checkpoint is there: --fresh begins again.';
  return 'Older copies may be there: tidemark checkpoints lists them, and tidemark copy makes a store of one.';
}

/** Whether a copier has put a checkpoint here, and no owner has gone on from it: then the log is its own. */
async function isCopy(log: Log, position: number): Promise<boolean> {
  const { boundary } = log;
  if (boundary === null) return (await log.below(position)) !== position - 1;
  if (boundary.copyOf === undefined) return false;
  for (let each = position; each > boundary.position; each = await log.below(each)) {
    const found = await log.read(each);
    if (found.ok && found.record.kind === 'term') return false;
  }
  return true;
}

function copyRefused(options: ChooseOptions, position: number, { boundary }: Log, url: string): CheckpointError {
  const of = boundary?.copyOf ?? 'another store';
  return new CheckpointError(
    'DUPLICATES_NOT_ACCEPTED',
    `checkpoint ${position} in ${url} is a copy of one in ${of}: what was released there since, nobody can tell here, and going on releases it a second time. Go on in ${of}, or, if that is gone and nothing runs from it: ${options.command(position)}`,
  );
}

function releasedSince(options: ChooseOptions, what: string): CheckpointError {
  return new CheckpointError(
    'DUPLICATES_NOT_ACCEPTED',
    `${what} after position ${options.from}: going back releases it a second time. If that is what you want: ${options.command(options.from ?? 0)}`,
  );
}
