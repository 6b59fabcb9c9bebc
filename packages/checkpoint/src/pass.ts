import type { Store } from '@tidemark/stores';
import { type Boundary, boundaryName, boundaryPositions, decodeBoundary, encodeBoundary } from './boundary.ts';
import { isAbsent } from './damage.ts';
import { CheckpointError } from './errors.ts';
import { type KeepPolicy, type KeepReason, keepsByTime, keptByTime } from './keep.ts';
import { type Log, logName } from './log.ts';
import { encodePin, endsName, isMarked, keptName, listMarks, type Marks, markedPositions } from './pin.ts';
import { readRecord } from './read-record.ts';
import { type CheckpointRecord, filesOf } from './record.ts';
import { encodeSealed } from './sealed.ts';

/** A checkpoint as retention looks at it. */
export interface Kept {
  readonly position: number;
  readonly hash: string;
  readonly term: number;
  readonly cut: number;
  /** ISO 8601. */
  readonly takenAt: string;
  /** All files that it needs. */
  readonly files: readonly string[];
}

/** What a pass is going to do. */
export interface PassPlan {
  readonly boundary: Kept;
  /** Checkpoints that retention keeps beside the newest ones, and why. */
  readonly reasons: ReadonlyMap<number, readonly KeepReason[]>;
  /** Of those, the ones below the boundary that get retention's own pin now. */
  readonly toKeep: readonly Kept[];
  /** Below the boundary, and no longer kept. */
  readonly expired: readonly number[];
  /** Below the boundary, and kept from now on. */
  readonly kept: readonly number[];
}

export interface Removable {
  /** Names of records and of files, ascending. */
  readonly records: readonly string[];
  readonly parts: readonly string[];
  /** A checkpoint that stays cannot be read: which files it needs is not known, so none is removed. */
  readonly doubt: CheckpointError | null;
}

export interface PassPlace {
  readonly store: Store;
  readonly job: string;
  readonly log: Log;
  /** Positions of checkpoints that stay, with all that are newer, because somebody reads them. */
  readonly held?: readonly number[];
}

/** What the highest boundary says. */
export interface Base {
  /** Its position, or 1: below it nothing is of the line any more. */
  readonly first: number;
  /** What it confirms as kept. */
  readonly kept: readonly number[];
}

export function baseOf({ first, boundary }: Log): Base {
  return { first, kept: boundary?.kept ?? [] };
}

/**
 * What a pass would do, found out without changing anything.
 *
 * @returns null when there is too little to remove anything
 * @throws CheckpointError when a record that is to be kept is damaged
 */
export async function planPass(
  place: PassPlace,
  policy: KeepPolicy,
  marks: Marks,
  { first, kept: confirmed }: Base,
): Promise<PassPlan | null> {
  const { store, job } = place;
  const { checkpoints, boundary: found } = await keptLine(place, policy, first);
  const boundary = found ?? (await boundaryNow(place, first));
  if (boundary === null) return null;
  // An end may stand without what it ends: a pass ended between the two.
  const below = [...new Set([...marks.kept, ...marks.ending])].filter((position) => position < first);
  const kept: Kept[] = [];
  const given = (position: number): boolean => marks.ending.has(position) || !confirmed.includes(position);
  const expired = below.filter(given);
  const unread: number[] = [];
  for (const position of below) {
    if (given(position)) continue;
    const each = await readKept(store, job, position);
    if (each === null) expired.push(position);
    // What cannot be read stays: whether it is the newest of its hour, nobody can tell.
    else if (each instanceof CheckpointError) unread.push(position);
    else kept.push(each);
  }
  const reasons = reasonsOf([...checkpoints, ...kept], policy, boundary);
  // A short line may have begun at one of them, and need it.
  if (found === null) return { boundary, reasons, toKeep: [], expired, kept: confirmed };
  const isWanted = ({ position }: Kept): boolean => reasons.has(position);
  expired.push(...kept.filter((each) => !isWanted(each)).map(({ position }) => position));
  const toKeep = checkpoints.filter((each) => each.position < boundary.position && isWanted(each));
  for (const position of marks.kept) {
    if (position >= first && position < boundary.position && !reasons.has(position)) expired.push(position);
  }
  const all = [...unread, ...[...kept.filter(isWanted), ...toKeep].map(({ position }) => position)];
  return { boundary, reasons, toKeep, expired: [...new Set(expired)], kept: all.sort((a, b) => a - b) };
}

/** Which checkpoints are kept beside the newest ones, and why. */
function reasonsOf(all: readonly Kept[], policy: KeepPolicy, boundary: Kept): Map<number, KeepReason[]> {
  const reasons = new Map<number, KeepReason[]>();
  for (const [position, rules] of keptByTime(all, policy)) reasons.set(position, [...rules]);
  const newestFirst = all.toSorted((a, b) => b.position - a.position);
  const spare = newestFirst.find((each) => sharesNone(each, newestFirst[0]));
  if (spare !== undefined && spare.position < boundary.position) {
    reasons.set(spare.position, [...(reasons.get(spare.position) ?? []), 'spare']);
  }
  return reasons;
}

function sharesNone({ files }: Kept, other: Kept): boolean {
  return files.every((file) => !other.files.includes(file));
}

/** Where the line is too short for a new boundary, what was left below the present one can go all the same. */
async function boundaryNow({ log }: PassPlace, first: number): Promise<Kept | null> {
  if (first <= 1) return null;
  const found = await log.read(first);
  if (!found.ok) throw found.error;
  return found.record.kind === 'checkpoint' ? keptOf(found.record, found.hash) : null;
}

/**
 * The checkpoints of the line that ends at the log's last record, newest first, as far down as one of them may be kept; and
 * the boundary among them, which leaves enough of the newest; null when there are too few.
 */
async function keptLine(
  { log, held = [] }: PassPlace,
  policy: KeepPolicy,
  first: number,
): Promise<{ readonly checkpoints: readonly Kept[]; readonly boundary: Kept | null }> {
  const checkpoints: Kept[] = [];
  let boundary: Kept | null = null;
  let hasSpare = false;
  for (let position = log.last; position >= first; ) {
    const found = await log.read(position);
    if (!found.ok) {
      // Below the boundary, damage is only what cannot be kept.
      if (boundary === null) throw found.error;
      break;
    }
    const { record, hash } = found;
    if (record.kind === 'term') {
      if (record.from === 'fresh') break;
      position = record.from;
      continue;
    }
    if (record.kind === 'gap') {
      position--;
      continue;
    }
    const each = keptOf(record, hash);
    checkpoints.push(each);
    const isLeft = policy.last !== null && checkpoints.length >= policy.last && held.every((one) => position <= one);
    if (isLeft) boundary ??= each;
    hasSpare ||= sharesNone(each, checkpoints[0]);
    if (boundary !== null && hasSpare && !keepsByTime(policy)) break;
    position = await log.below(position);
  }
  return { checkpoints, boundary };
}

function keptOf(record: CheckpointRecord, hash: string): Kept {
  const { position, term, cut, createdAt } = record;
  return { position, hash, term, cut, takenAt: createdAt, files: filesOf(record) };
}

/** Null when its record is gone; an error when it cannot be read. */
async function readKept(store: Store, job: string, position: number): Promise<Kept | CheckpointError | null> {
  const found = await readRecord(store, job, position);
  if (!found.ok) return isAbsent(found.error) ? null : found.error;
  const { record, hash } = found;
  return record.kind === 'checkpoint' ? keptOf(record, hash) : null;
}

const RECORD = /\/(\d{20})$/;

/** What may go below a boundary when the marked checkpoints stay. */
export async function removableBelow(
  store: Store,
  job: string,
  boundary: Pick<Kept, 'position' | 'term' | 'cut' | 'files'>,
  marks: Marks,
): Promise<Removable> {
  const logNames = await store.list(`${job}/log/`);
  const records = logNames.filter((name) => {
    const position = Number(RECORD.exec(name)?.[1]);
    // What else lies there was put by a person.
    return position < boundary.position && !isMarked(marks, position);
  });
  const needed = new Set(boundary.files.map((file) => `${job}/${file}`));
  for (const position of markedPositions(marks)) {
    if (position >= boundary.position) break;
    const kept = await readKept(store, job, position);
    if (kept instanceof CheckpointError) return { records, parts: [], doubt: kept };
    for (const file of kept?.files ?? []) needed.add(`${job}/${file}`);
  }
  const partNames = await store.list(`${job}/part/`);
  const parts = partNames.filter((name) => isBelow(name, boundary) && !needed.has(name));
  return { records, parts, doubt: null };
}

/**
 * Carries a plan out. May end anywhere: the next pass does the rest (C21).
 *
 * The order is what makes it safe: what is kept is marked, then the boundary is put, then marks are given up, then the marks
 * are listed, and only then is anything removed (C31, C32).
 *
 * @param own highest boundary that this owner may have put, or found when it began
 * @throws CheckpointError `FENCED` when a later owner has put a boundary; what cannot be read, after the rest was done
 */
export async function carryOut(
  { store, job }: PassPlace,
  plan: PassPlan,
  policy: KeepPolicy,
  own: number,
  now: string,
): Promise<void> {
  const { boundary, toKeep, expired } = plan;
  for (const { files: _files, ...kept } of toKeep) {
    const pin = encodePin({ ...kept, createdAt: now, label: null, wish: null });
    await store.putIfAbsent(keptName(job, kept.position), pin);
  }
  if (toKeep.length > 0) await assertBoundaryOurs(store, job, own);
  const { position, hash, term, cut } = boundary;
  await putBoundary(store, job, { position, hash, term, cut, kept: plan.kept, keep: policy });
  for (const each of expired) await store.putIfAbsent(endsName(job, each), encodeSealed({ position: each }));
  const { records, parts, doubt } = await removableBelow(store, job, boundary, await listMarks(store, job));
  for (const name of [...records, ...parts]) await store.delete(name);
  for (const each of expired) {
    await store.delete(keptName(job, each));
    await store.delete(endsName(job, each));
  }
  for (const each of await boundaryPositions(store, job)) {
    if (each < position) await store.delete(boundaryName(job, each));
  }
  if (doubt !== null) throw doubt;
}

/** Another may have put this boundary, and confirmed other marks than ours: then another pass, with another boundary, must keep them. */
async function putBoundary(store: Store, job: string, boundary: Boundary): Promise<void> {
  const name = boundaryName(job, boundary.position);
  if ((await store.putIfAbsent(name, encodeBoundary(boundary))) === 'stored') return;
  const { kept = [] } = decodeBoundary(await store.get(name), name);
  if (boundary.kept?.every((position) => kept.includes(position)) === true) return;
  throw new CheckpointError('FENCED', `${name} was put by another owner`);
}

/**
 * A later owner may have removed what we have marked. The marks stay where they are: it may have confirmed them as its own,
 * and what nobody confirms counts for nothing (C32).
 */
async function assertBoundaryOurs(store: Store, job: string, own: number): Promise<void> {
  const highest = (await boundaryPositions(store, job)).at(-1) ?? 0;
  if (highest > own) throw new CheckpointError('FENCED', `${boundaryName(job, highest)} was put by a later owner`);
}

/**
 * What is given up must have been marked before a later owner began: marks that it has put are its own (C32).
 *
 * @param last newest position when the marks were listed, or before
 * @throws CheckpointError `FENCED`
 */
export async function assertNoLaterTerm({ store, job }: PassPlace, last: number, term: number): Promise<void> {
  for (const name of await store.list(`${job}/log/`, { after: logName(job, last) })) {
    const found = await readRecord(store, job, Number(name.slice(-20)));
    if (found.ok && found.record.term > term) throw new CheckpointError('FENCED', `${name} was put by a later owner`);
  }
}

/** Whether a part was written for a cut before the boundary's; a name of another form is nobody's part. */
function isBelow(name: string, boundary: Pick<Kept, 'term' | 'cut'>): boolean {
  const found = /\/part\/(\d+)-(\d+)-\d+-[0-9a-f]+$/.exec(name);
  if (found === null) return false;
  const term = Number(found[1]);
  return term < boundary.term || (term === boundary.term && Number(found[2]) < boundary.cut);
}
