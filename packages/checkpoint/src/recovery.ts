import type { AnyActor } from '@tidemark/actors';
import {
  ANSWER,
  type Batch,
  definitionOf,
  definitions,
  type Envelope,
  type FileBytes,
  homeOfGroup,
  keyGroup,
  packBatch,
  packMessages,
  type PackedFrame,
  isReserved,
  type Runtime,
  type UnitData,
} from '@tidemark/actors/internal';
import { homeFiles } from './home-files.ts';
import { type MappedCheckpoint, mapCheckpoint, type PlanRow } from './mapping/map-checkpoint.ts';
import { type Mapping, NO_MAPPING } from './mapping/program.ts';
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
  readonly files: FileBytes[];
  readonly units: UnitData[];
  readonly frames: PackedFrame[];
}

/** Host and every worker. */
export type Loads = readonly Load[];

/**
 * Gives every unit and every message of a checkpoint to the thread that is its home among `workers` workers (C17), in the versions and
 * under the names that the program has.
 *
 * @param term whose answers to asks of the host are still waited for: only a rollback inside the process has one
 * @throws CheckpointError `STATE_UNCLAIMED` for state and messages of definitions that are no more, `CHECKPOINT_INCOMPATIBLE` for
 * a version that no step leads from, `MIGRATION_FAILED`, `MAPPING_INVALID`; ActorError `HANDLER_UNKNOWN`
 */
export function distribute(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  workers: number,
  placement: Placement,
  term: number | null = null,
  mapping: Mapping = NO_MAPPING,
): Loads {
  return distributeMapped(record, parts, workers, placement, mapping, term).loads;
}

/** As `distribute`, with what it made of each definition. */
export function distributeMapped(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  workers: number,
  placement: Placement,
  mapping: Mapping,
  term: number | null,
): { readonly loads: Loads; readonly rows: readonly PlanRow[] } {
  const files = homeFiles(record, parts, workers, placement, mapping);
  const mapped = mapToProgram(record, files === null ? parts : parts.map(motionOnly), placement, mapping);
  const loads = share(mapped, workers, placement, term);
  for (const [thread, own] of files?.entries() ?? []) loads[thread].files.push(...own);
  return { loads, rows: mapped.rows };
}

function motionOnly({ mail, channels, outboxes }: PartContent): PartContent {
  return { units: [], mail, channels, outboxes };
}

/** A checkpoint as the definitions of this process and the tasks of a placement have it. */
export function mapToProgram(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  placement: Placement,
  mapping: Mapping,
): MappedCheckpoint {
  const program = { definitions: definitions(), isTask: (name: string) => placement.knows(name) };
  return mapCheckpoint(record, parts, program, mapping);
}

/** @throws the first refusal of what was mapped */
export function share(
  mapped: MappedCheckpoint,
  workers: number,
  placement: Placement,
  term: number | null = null,
): Loads {
  const [refusal] = mapped.refusals;
  if (refusal !== undefined) throw refusal;
  const loads = Array.from({ length: workers + 1 }, (): Load => ({ files: [], units: [], frames: [] }));
  const homeOf = homes(workers);
  for (const unit of mapped.units) {
    const home = placement.knows(unit.type) ? placement.placeUnit(unit, workers) : homeOf(unit.type, unit.key);
    loads[home].units.push(unit);
  }
  for (const motion of mapped.motion) {
    if (motion.kind === 'messages') shareMessages(motion.envelopes, loads, homeOf, term);
    else {
      for (const [thread, batch] of placement.splitBatch(motion.batch, workers)) {
        loads[thread].frames.push(packBatch(batch));
      }
    }
  }
  return loads;
}

type HomeOf = (type: string, key: string) => number;

function homes(workers: number): HomeOf {
  const places = new Map<string, AnyActor['place']>();
  return (type, key) => {
    let place = places.get(type);
    if (place === undefined) places.set(type, (place = definitionOf(type).place));
    return place === 'host' ? 0 : homeOfGroup(keyGroup(type, key), workers);
  };
}

function shareMessages(envelopes: readonly Envelope[], loads: Loads, homeOf: HomeOf, term: number | null): void {
  const byHome = new Map<number, Envelope[]>();
  for (const envelope of envelopes) {
    // Whoever asked a service asks it again.
    if (isReserved(envelope.type) && envelope.type !== ANSWER) continue;
    const isAnswer = envelope.type === ANSWER;
    // Answers to asks of a process that is no more have nobody to go to (C18).
    if (isAnswer && !isAskedIn(envelope, term)) continue;
    const home = isAnswer ? 0 : homeOf(envelope.type, envelope.key);
    const list = byHome.get(home);
    if (list === undefined) byHome.set(home, [envelope]);
    else list.push(envelope);
  }
  for (const [home, list] of byHome) loads[home].frames.push(...packMessages(list));
}

function isAskedIn({ reply }: Envelope, term: number | null): boolean {
  return reply !== null && 'ask' in reply && reply.term === term;
}

/** Puts back what belongs to this thread. */
export function loadHere(runtime: Runtime, { files, units, frames }: Load): void {
  const loader = new PartLoader(runtime);
  for (const file of files) loader.load(file);
  for (const unit of units) runtime.loadUnit(unit);
  for (const frame of frames) runtime.loadFrame(frame);
}
