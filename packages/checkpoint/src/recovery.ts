import type { AnyActor } from '@tidemark/actors';
import {
  type Batch,
  definitionOf,
  definitions,
  type Envelope,
  homeOfGroup,
  keyGroup,
  packBatch,
  packMessages,
  type PackedFrame,
  type Runtime,
  type UnitData,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import { CheckpointError } from './errors.ts';
import type { PartContent } from './part.ts';
import { PartLoader } from './part-loader.ts';
import type { CheckpointRecord } from './record.ts';

/** Where the units and records of a job's tasks belong; the job knows, the checkpoint does not. */
export interface Placement {
  /** Whether a task of that name exists. */
  knows(task: string): boolean;
  placeUnit(unit: UnitData, workers: number): number;
  splitBatch(batch: Batch, workers: number): ReadonlyMap<number, Batch>;
}

/** What one thread gets back. */
export interface Load {
  /** Files of a part that is this thread's as it is, the newest first; their units are not among `units`. */
  readonly files: Uint8Array[];
  readonly units: UnitData[];
  readonly frames: PackedFrame[];
}

/** Host and every worker. */
export type Loads = readonly Load[];

/**
 * Gives every unit and every message of a checkpoint to the thread that is its home among `workers` workers (C17).
 *
 * @param term whose answers to asks of the host are still waited for: only a rollback inside the process has one
 * @throws CheckpointError `STATE_UNCLAIMED` for state and messages of definitions that are no more, `CHECKPOINT_INCOMPATIBLE` for
 * another version of a definition
 */
export function distribute(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  workers: number,
  placement: Placement,
  term: number | null = null,
): Loads {
  const loads = Array.from({ length: workers + 1 }, (): Load => ({ files: [], units: [], frames: [] }));
  const isAtHome = areUnitsAtHome(record, parts, workers, placement);
  const types = isAtHome ? parts.flatMap(typesInFiles) : parts.flatMap((part) => part.units.map((unit) => unit.type));
  assertClaimed(record, new Set(types), placement);
  const places = new Map<string, AnyActor['place']>();
  const homeOf = (type: string, key: string): number => {
    let place = places.get(type);
    if (place === undefined) {
      // A message may be all that there is of its receiver.
      assertClaimed(record, new Set([type]), placement);
      places.set(type, (place = definitionOf(type).place));
    }
    return place === 'host' ? 0 : homeOfGroup(keyGroup(type, key), workers);
  };
  const split = (batch: Batch): ReadonlyMap<number, Batch> => {
    if (!placement.knows(batch.task)) throw unclaimed(record, [batch.task]);
    return placement.splitBatch(batch, workers);
  };
  if (isAtHome) for (const [thread, part] of parts.entries()) loads[thread].files.push(...filesOfPart(part));
  else
    for (const unit of parts.flatMap((part) => part.units)) {
      const home = placement.knows(unit.type) ? placement.placeUnit(unit, workers) : homeOf(unit.type, unit.key);
      loads[home].units.push(unit);
    }
  // The order matters: what a receiver had taken, then what was on the way, then what was not yet sent.
  for (const frames of [
    parts.flatMap((p) => p.mail),
    parts.flatMap((p) => p.channels),
    parts.flatMap((p) => p.outboxes),
  ]) {
    for (const frame of frames) route(frame, loads, homeOf, split, term);
  }
  return loads;
}

/**
 * Whether each unit's home is the thread that wrote it: then each thread gets its own files, as they are. A job keeps every
 * unit where it is as long as the number of workers is the same.
 */
function areUnitsAtHome(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  workers: number,
  placement: Placement,
): boolean {
  if (parts.length !== workers + 1 || record.parts.some(({ thread }, i) => thread !== i)) return false;
  return parts.every(
    (part, thread) =>
      part.files?.every(({ types }) => types !== null) === true &&
      typesInFiles(part).every((type) => {
        if (placement.knows(type)) return thread !== 0;
        return (definitions().get(type)?.place === 'host') === (thread === 0);
      }),
  );
}

function typesInFiles({ files = [] }: PartContent): string[] {
  return files.flatMap(({ types }) => [...(types ?? [])]);
}

/** The newest first. */
function filesOfPart({ files = [] }: PartContent): Uint8Array[] {
  return files.map(({ bytes }) => bytes).toReversed();
}

function route(
  frame: PackedFrame,
  loads: Loads,
  homeOf: (type: string, key: string) => number,
  split: (batch: Batch) => ReadonlyMap<number, Batch>,
  term: number | null,
): void {
  if (frame.codec !== 'messages') {
    for (const [thread, batch] of split(unpackBatch(frame))) loads[thread].frames.push(packBatch(batch));
    return;
  }
  const byHome = new Map<number, Envelope[]>();
  for (const envelope of unpackMessages(frame.body)) {
    const isAnswer = envelope.type.startsWith(RESERVED);
    // Answers to asks of a process that is no more have nobody to go to (C18).
    if (isAnswer && envelope.reply?.term !== term) continue;
    const home = isAnswer ? 0 : homeOf(envelope.type, envelope.key);
    const list = byHome.get(home);
    if (list === undefined) byHome.set(home, [envelope]);
    else list.push(envelope);
  }
  for (const [home, envelopes] of byHome) loads[home].frames.push(...packMessages(envelopes));
}

const RESERVED = 'tidemark:';

function assertClaimed(record: CheckpointRecord, types: ReadonlySet<string>, placement: Placement): void {
  const ofActors = [...types].filter((type) => !placement.knows(type));
  const unknown = ofActors.filter((type) => !definitions().has(type));
  if (unknown.length > 0) throw unclaimed(record, unknown);
  for (const type of ofActors) assertSameVersion(record, type);
}

function assertSameVersion(record: CheckpointRecord, type: string): void {
  const stored = record.definitions[type];
  const { version } = definitionOf(type);
  if (stored === undefined || stored === version) return;
  throw new CheckpointError(
    'CHECKPOINT_INCOMPATIBLE',
    `checkpoint ${record.position} holds state of '${type}' version ${stored}; this program defines version ${version}`,
  );
}

function unclaimed(record: CheckpointRecord, types: readonly string[]): CheckpointError {
  const names = types.map((type) => `'${type}'`).join(', ');
  return new CheckpointError(
    'STATE_UNCLAIMED',
    `checkpoint ${record.position} holds state of ${names}, which this program does not define; nothing was started and nothing is lost`,
  );
}

/** Puts back what belongs to this thread. */
export function loadHere(runtime: Runtime, { files, units, frames }: Load): void {
  const loader = new PartLoader(runtime);
  for (const file of files) loader.load(file);
  for (const unit of units) runtime.loadUnit(unit);
  for (const frame of frames) runtime.loadFrame(frame);
}
