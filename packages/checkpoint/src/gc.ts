import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import type { Environment } from './environment.ts';
import { type KeepPolicy, type KeepReason, parseKeep } from './keep.ts';
import { Log } from './log.ts';
import { assertNoLaterTerm, baseOf, carryOut, type PassPlan, planPass, removableBelow } from './pass.ts';
import { listMarks, type Marks } from './pin.ts';
import { type FoundRecord, readRecord } from './read-record.ts';
import { storedFiles } from './record.ts';
import { takeOver, type TakenOver } from './take-over.ts';

export interface GcPlace {
  readonly store: Store;
  readonly job: string;
  readonly environment: Environment;
}

/** Why a checkpoint stays: at or above the boundary, pinned by a person, or as retention's rules say. */
export type KeptBecause = 'newest' | 'pinned' | KeepReason;

export interface GcKept {
  readonly position: number;
  readonly takenAt: string;
  readonly because: readonly KeptBecause[];
  /** Of its record, and of all files that it needs; some may be another's, too. */
  readonly bytes: number;
}

export interface GcRemoved {
  /** Name of the object, without the job. */
  readonly object: string;
  /** Of a record; null of a file. */
  readonly position: number | null;
  readonly kind: 'checkpoint' | 'term' | 'gap' | 'damaged' | 'part';
  readonly takenAt: string | null;
  readonly bytes: number;
}

/** What a pass removes and leaves. */
export interface GcReport {
  readonly job: string;
  readonly policy: KeepPolicy;
  /** Whose word the policy is. */
  readonly policyOf: 'caller' | 'job' | 'default';
  /** Where the log begins afterwards; null when nothing can be removed. */
  readonly boundary: number | null;
  readonly kept: readonly GcKept[];
  readonly removed: readonly GcRemoved[];
  /** Why files were spared, if they were. */
  readonly doubt: CheckpointError | null;
}

/**
 * Says what a pass of retention would remove now, and changes nothing.
 *
 * @param policy null for that of the job's last start
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when what is to be kept cannot be read
 */
export async function planGc({ store, job, environment }: GcPlace, policy: KeepPolicy | null): Promise<GcReport> {
  const log = await Log.open(store, job, environment.clock, environment.randomId);
  const own = policy === null ? await policyInForce(log) : ({ policy, policyOf: 'caller' } as const);
  const marks = await listMarks(store, job);
  const plan = await planPass({ store, job, log }, own.policy, marks, baseOf(log));
  return { job, ...own, ...(await reportOf(store, job, plan, marks)) };
}

/**
 * Runs a pass for a job that does not run: takes a term, as a start does, so that whoever slept is fenced; and gives it back.
 *
 * @throws CheckpointError `ALREADY_RUNNING`; what a start throws when it finds damage
 */
export async function runGc(place: GcPlace, policy: KeepPolicy | null): Promise<GcReport> {
  const planned = await planGc(place, policy);
  if (planned.removed.length === 0) return planned;
  const { store, job, environment } = place;
  const own = await startTerm(place);
  if (own === null) throw new CheckpointError('SYSTEM_FAILED', 'a start without a preparation was refused');
  const { log, owner, term } = own;
  try {
    const passPlace = { store, job, log };
    const marks = await listMarks(store, job);
    await assertNoLaterTerm(passPlace, log.last, term);
    const plan = await planPass(passPlace, planned.policy, marks, baseOf(log));
    const report = await reportOf(store, job, plan, marks);
    const now = new Date(environment.clock.now()).toISOString();
    if (plan !== null) await carryOut(passPlace, plan, planned.policy, log.boundary?.position ?? 0, now);
    return { ...planned, ...report };
  } finally {
    await owner.release();
  }
}

/** As a start of the job, which runs nothing. */
async function startTerm(place: GcPlace): Promise<TakenOver<true> | null> {
  const { store, job, environment } = place;
  // What the job keeps is the job's to say.
  const { policy: keep } = await policyInForce(await Log.open(store, job, environment.clock));
  const command = (position: number): string => `tidemark restore FILE --from ${position} --accept-duplicates`;
  const options = { fresh: false, from: null, acceptDuplicates: false, command, warn: () => undefined, keep };
  try {
    return await takeOver(place, options, async () => true as const);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'ALREADY_RUNNING') throw error;
    const message = `${error.message}. It removes old checkpoints by itself; --dry-run lists them.`;
    throw new CheckpointError('ALREADY_RUNNING', message, { cause: error.cause });
  }
}

/** What the last start said that it keeps: its term record does, or the boundary that it put since. */
async function policyInForce(log: Log): Promise<Pick<GcReport, 'policy' | 'policyOf'>> {
  for (let position = log.last; position >= log.first; position--) {
    const found = await log.read(position);
    if (!found.ok || found.record.kind !== 'term') continue;
    const { keep } = found.record;
    return keep === undefined ? BY_DEFAULT : { policy: keep, policyOf: 'job' };
  }
  const keep = log.boundary?.keep;
  return keep === undefined ? BY_DEFAULT : { policy: keep, policyOf: 'job' };
}

const BY_DEFAULT: Pick<GcReport, 'policy' | 'policyOf'> = { policy: parseKeep(undefined), policyOf: 'default' };

async function reportOf(
  store: Store,
  job: string,
  plan: PassPlan | null,
  marks: Marks,
): Promise<Pick<GcReport, 'boundary' | 'kept' | 'removed' | 'doubt'>> {
  const records = await allRecords(store, job);
  if (plan === null) {
    const kept = records.flatMap((found) => keptOf(found, marks, null));
    return { boundary: null, kept, removed: [], doubt: null };
  }
  const { boundary, toKeep, expired } = plan;
  const then: Marks = {
    pinned: marks.pinned,
    kept: new Set([...marks.kept, ...toKeep.map(({ position }) => position)]),
    ending: new Set([...marks.ending, ...expired]),
  };
  const removable = await removableBelow(store, job, boundary, then);
  const going = new Set(removable.records.map((name) => Number(name.slice(-20))));
  const sizes = sizesIn(records);
  const removed: GcRemoved[] = records.filter(({ position }) => going.has(position)).map((found) => removedOf(found));
  for (const name of removable.parts) {
    const object = name.slice(job.length + 1);
    // Of an attempt that came to nothing: no record says how large it is.
    const bytes = sizes.get(object) ?? (await store.get(name)).length;
    removed.push({ object, position: null, kind: 'part', takenAt: null, bytes });
  }
  const stays = records.filter(({ position }) => !going.has(position));
  const kept = stays.flatMap((found) => keptOf(found, marks, plan));
  return { boundary: boundary.position, kept, removed, doubt: removable.doubt };
}

async function allRecords(store: Store, job: string): Promise<readonly FoundRecord[]> {
  const names = (await store.list(`${job}/log/`)).filter((name) => /\/\d{20}$/.test(name));
  const records: FoundRecord[] = [];
  for (const name of names.toReversed()) records.push(await readRecord(store, job, Number(name.slice(-20))));
  return records;
}

function keptOf(found: FoundRecord, marks: Marks, plan: PassPlan | null): GcKept[] {
  if (!found.ok || found.record.kind !== 'checkpoint') return [];
  const { position, record, bytes } = found;
  const because: KeptBecause[] = [];
  if (plan === null || position >= plan.boundary.position) because.push('newest');
  if (marks.pinned.has(position)) because.push('pinned');
  because.push(...(plan?.reasons.get(position) ?? []));
  const files = storedFiles(record).reduce((total, { length }) => total + length, 0);
  return [{ position, takenAt: record.createdAt, because, bytes: bytes + files }];
}

function removedOf(found: FoundRecord): GcRemoved {
  const { position } = found;
  const object = `log/${String(position).padStart(20, '0')}`;
  if (!found.ok) return { object, position, kind: 'damaged', takenAt: null, bytes: 0 };
  const { record, bytes } = found;
  return { object, position, kind: record.kind, takenAt: record.createdAt, bytes };
}

/** Sizes of the files that records name. */
function sizesIn(records: readonly FoundRecord[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const found of records) {
    if (!found.ok || found.record.kind !== 'checkpoint') continue;
    for (const { path, length } of storedFiles(found.record)) sizes.set(path, length);
  }
  return sizes;
}
