import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { checkLabel } from './label.ts';
import { readBoundary } from './log.ts';
import { readParts } from './part-reading.ts';
import { encodePin, endsName, isMarked, listMarks, type Marks, type Pin, pinName, readPin } from './pin.ts';
import { readRecord } from './read-record.ts';
import { unknownOrDamaged } from './reading/checkpoint-view.ts';
import type { CheckpointRecord } from './record.ts';
import { encodeSealed } from './sealed.ts';

export interface PinPlace {
  readonly store: Store;
  readonly job: string;
  /** Says when a pin was put. */
  readonly now: () => number;
}

export interface PinOptions {
  readonly label: string | null;
  /** The wish that the pin fulfils. */
  readonly wish: string | null;
  /** `whole` reads every part before the pin counts; what was published a moment ago need not be read again. */
  readonly verify: 'whole' | 'published-now';
}

/**
 * Pins a checkpoint: it stays until it is unpinned. Safe beside an owner that removes old checkpoints at this moment (C31):
 * the pin is put, and only then is it looked whether it came in time. If not, it is taken back.
 *
 * @throws CheckpointError `CHECKPOINT_UNKNOWN`, `CHECKPOINT_DAMAGED`; `LABEL_INVALID`; `PIN_TAKEN` when the checkpoint is
 * pinned, or the label is in use; `PIN_REFUSED` when retention has given the checkpoint up
 */
export async function pinCheckpoint(place: PinPlace, position: number, options: PinOptions): Promise<Pin> {
  const { store, job } = place;
  const label = options.label === null ? null : checkLabel(options.label);
  const { record, hash } = await recordToPin(store, job, position);
  const marks = await listMarks(store, job);
  if (marks.pinned.has(position)) throw await alreadyPinned(store, job, position);
  await assertLabelFree(store, job, position, label, marks);
  const { term, cut, createdAt: takenAt } = record;
  const createdAt = new Date(place.now()).toISOString();
  const pin: Pin = { position, hash, term, cut, takenAt, createdAt, label, wish: options.wish };
  const name = pinName(job, position);
  if ((await store.putIfAbsent(name, encodePin(pin))) === 'taken') throw await alreadyPinned(store, job, position);
  try {
    const now = await listMarks(store, job);
    await assertInTime(store, job, position, now);
    await assertLabelFree(store, job, position, label, now);
    // Last: what protects it now protects what is read here.
    if (options.verify === 'whole') await assertWhole(store, job, record, hash);
  } catch (error) {
    await store.delete(name);
    throw error;
  }
  return pin;
}

/**
 * Lets retention remove a checkpoint again, when it is below the boundary: also one that it kept of its own accord.
 *
 * @throws CheckpointError `PIN_UNKNOWN` when it is not pinned
 */
export async function unpinCheckpoint(store: Store, job: string, position: number): Promise<'pin' | 'kept'> {
  const marks = await listMarks(store, job);
  if (marks.pinned.has(position)) {
    await store.delete(pinName(job, position));
    return 'pin';
  }
  if (isMarked(marks, position)) {
    // Not the mark itself: somebody may pin it at this moment, and must see that it ends (C32).
    await store.putIfAbsent(endsName(job, position), encodeSealed({ position }));
    return 'kept';
  }
  const list = [...marks.pinned].sort((a, b) => a - b).join(', ');
  throw new CheckpointError(
    'PIN_UNKNOWN',
    `checkpoint ${position} of job '${job}' in ${store.url} is not pinned; ${list === '' ? 'no checkpoint is' : `pinned: ${list}`}`,
  );
}

async function recordToPin(
  store: Store,
  job: string,
  position: number,
): Promise<{ readonly record: CheckpointRecord; readonly hash: string }> {
  const found = await readRecord(store, job, position);
  if (!found.ok) throw await unknownOrDamaged(store, job, position, found.error);
  const { record, hash } = found;
  if (record.kind === 'checkpoint') return { record, hash };
  throw new CheckpointError(
    'CHECKPOINT_UNKNOWN',
    `position ${position} is the begin of term ${record.term}, no checkpoint`,
  );
}

/** Whether what keeps the checkpoint was still there after the pin was put (C31, C32). */
async function assertInTime(store: Store, job: string, position: number, marks: Marks): Promise<void> {
  const boundary = await readBoundary(store, job);
  if (boundary === null || boundary.position <= position) return;
  const isKept = marks.kept.has(position) && !marks.ending.has(position);
  if (isKept && boundary.kept?.includes(position)) return;
  throw new CheckpointError(
    'PIN_REFUSED',
    `checkpoint ${position} lies below the boundary ${boundary.position} of job '${job}': it is being removed, so it cannot be pinned any more. Pin a newer one.`,
  );
}

async function assertWhole(store: Store, job: string, record: CheckpointRecord, hash: string): Promise<void> {
  const found = await readRecord(store, job, record.position);
  if (!found.ok) throw found.error;
  if (found.hash !== hash) {
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `record ${record.position} of job '${job}' has changed while it was read`,
    );
  }
  await readParts(store, job, record);
}

/**
 * Of two that put one label at the same time, at most one goes on: the later listing shows both.
 *
 * @param own position that may have it
 * @throws CheckpointError `PIN_TAKEN`
 */
export async function assertLabelFree(
  store: Store,
  job: string,
  own: number | null,
  label: string | null,
  marks: Marks,
): Promise<void> {
  if (label === null) return;
  for (const position of marks.pinned) {
    if (position === own) continue;
    const found = await readPin(store, pinName(job, position));
    if (found === null || 'error' in found || found.pin.label !== label) continue;
    throw new CheckpointError(
      'PIN_TAKEN',
      `label '${label}' belongs to checkpoint ${position} of job '${job}'. Choose another label, or unpin that one first.`,
    );
  }
}

async function alreadyPinned(store: Store, job: string, position: number): Promise<CheckpointError> {
  const found = await readPin(store, pinName(job, position));
  const label = found !== null && 'pin' in found ? found.pin.label : null;
  const as = label === null ? '' : ` as '${label}'`;
  return new CheckpointError(
    'PIN_TAKEN',
    `checkpoint ${position} of job '${job}' is pinned already${as}. To name it anew, unpin it first.`,
  );
}
