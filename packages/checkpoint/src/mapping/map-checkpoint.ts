import type { AnyActor } from '@tidemark/actors';
import {
  type ActorError,
  type Batch,
  type Envelope,
  isOwnTable,
  holdsMessages,
  OWN_NAME,
  type PackedFrame,
  isReserved,
  type UnitData,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import { CheckpointError } from '../errors.ts';
import type { PartContent } from '../part.ts';
import type { CheckpointRecord } from '../record.ts';
import { type Fate, fateOf, newName, type PlanOutcome, renames } from './fate.ts';
import { migrateMessage, migrateUnits, tablesOf } from './migrate.ts';
import { type Mapping, NO_MAPPING, type ProgramParts } from './program.ts';
import { bothStored, handlerUnknown, mappingRefusals, otherVersion, tableGone, unclaimed } from './refusals.ts';
import { RefRenamer } from './rename-refs.ts';

/** What becomes of one definition or task. */
export interface PlanRow {
  readonly type: string;
  readonly outcome: PlanOutcome;
  /** Its new name; null when it keeps its own. */
  readonly to: string | null;
  /** Version in the checkpoint, and in the program; null where it is a task, or not there. */
  readonly stored: number | null;
  readonly defined: number | null;
  /** In the checkpoint. */
  readonly units: number;
  readonly messages: number;
  /** Messages that a step of `migrateMessage` drops. */
  readonly messagesDropped: number;
  /** Refs to it in states and messages that get its new name. */
  readonly refs: number;
}

/** Messages of one frame, or a batch of a task. */
export type Motion =
  | { readonly kind: 'messages'; readonly envelopes: readonly Envelope[] }
  | { readonly kind: 'batch'; readonly batch: Batch };

/** A checkpoint as the program of now has it. */
export interface MappedCheckpoint {
  readonly record: CheckpointRecord;
  readonly rows: readonly PlanRow[];
  /** Why a start is refused; empty when it is not. */
  readonly refusals: readonly (CheckpointError | ActorError)[];
  readonly units: readonly UnitData[];
  /** In the order in which it must be restored: mailboxes, channels, outboxes. */
  readonly motion: readonly Motion[];
}

/**
 * Works out what a start makes of a checkpoint: nothing is started, and nothing is written. Units and messages of what the program
 * has in the same version under the same name are passed on as they are.
 */
export function mapCheckpoint(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  program: ProgramParts,
  mapping: Mapping = NO_MAPPING,
): MappedCheckpoint {
  const map = new CheckpointMap(record, program, mapping);
  const units = map.units(parts.flatMap((part) => part.units));
  const motion = [
    ...parts.flatMap((part) => part.mail),
    ...parts.flatMap((part) => part.channels),
    ...parts.flatMap((part) => part.outboxes),
  ].flatMap((frame) => map.motion(frame));
  return { record, units, motion, rows: map.rows(), refusals: map.refusals() };
}

interface Tally {
  units: number;
  messages: number;
  messagesDropped: number;
  refs: number;
}

class CheckpointMap {
  readonly #record: CheckpointRecord;
  readonly #program: ProgramParts;
  readonly #mapping: Mapping;
  readonly #refs: RefRenamer;
  readonly #fates = new Map<string, Fate>();
  readonly #tallies = new Map<string, Tally>();
  readonly #tables = new Map<string, ReadonlySet<string>>();
  /** The first thing that is wrong with each definition. */
  readonly #failures = new Map<string, CheckpointError | ActorError>();

  constructor(record: CheckpointRecord, program: ProgramParts, mapping: Mapping) {
    this.#record = record;
    this.#program = program;
    this.#mapping = mapping;
    this.#refs = new RefRenamer(renames(mapping, record), (type) => this.#tally(type).refs++);
  }

  units(all: readonly UnitData[]): UnitData[] {
    const kept: UnitData[] = [];
    /** Units of actors that are to be migrated: all of one actor together. */
    const actors = new Map<string, UnitData[]>();
    for (const unit of all) {
      this.#tally(unit.type).units++;
      const fate = this.#fate(unit.type);
      if (fate.kind === 'task') kept.push(unit);
      if (fate.kind !== 'kept') continue;
      const { definition, stored } = fate;
      const named = this.#refs.idle ? unit : { ...unit, type: definition.name, value: this.#refs.packed(unit.value) };
      if (stored === definition.version) {
        this.#lookForTable(unit, definition);
        kept.push(named);
        continue;
      }
      const id = `${unit.type}\0${unit.key}`;
      const own = actors.get(id);
      if (own === undefined) actors.set(id, [named]);
      else own.push(named);
    }
    for (const [id, own] of actors) {
      const type = id.slice(0, id.indexOf('\0'));
      const fate = this.#fate(type);
      if (fate.kind !== 'kept' || this.#failures.has(type)) continue;
      this.#trying(type, () => kept.push(...migrateUnits(fate.definition, fate.stored, own)));
    }
    return kept;
  }

  motion(frame: PackedFrame): Motion[] {
    if (!holdsMessages(frame)) {
      const batch = unpackBatch(frame);
      this.#tally(batch.task).messages += batch.values.length;
      return this.#fate(batch.task).kind === 'task' ? [{ kind: 'batch', batch }] : [];
    }
    const envelopes = unpackMessages(frame).flatMap((envelope) => this.#message(envelope));
    return envelopes.length === 0 ? [] : [{ kind: 'messages', envelopes }];
  }

  rows(): PlanRow[] {
    const { definitions } = this.#program;
    const targets = new Set(Object.values(this.#mapping.rename).filter((name) => !this.#tallies.has(name)));
    const types = new Set([...this.#tallies.keys(), ...Object.keys(this.#record.definitions), ...definitions.keys()]);
    return [...types]
      .filter((type) => !targets.has(type))
      .sort()
      .map((type) => this.#row(type));
  }

  refusals(): (CheckpointError | ActorError)[] {
    const record = this.#record;
    const refusals: (CheckpointError | ActorError)[] = mappingRefusals(this.#mapping, this.#program);
    for (const [from, to] of Object.entries(this.#mapping.rename)) {
      if (this.#held(from) && this.#held(to)) refusals.push(bothStored(record, from, to));
    }
    const nobodys = [...this.#fates].filter(([, fate]) => fate.kind === 'unclaimed').map(([type]) => type);
    if (nobodys.length > 0) refusals.push(unclaimed(record, nobodys.sort()));
    for (const [type, fate] of this.#fates) {
      if (fate.kind === 'other-version') refusals.push(otherVersion(record, type, fate));
    }
    return [...refusals, ...this.#failures.values()];
  }

  #message(envelope: Envelope): Envelope[] {
    // No actor's; whether anybody waits for it is not known here.
    if (isReserved(envelope.type)) return [envelope];
    const { type } = envelope;
    const tally = this.#tally(type);
    tally.messages++;
    const fate = this.#fate(type);
    if (fate.kind !== 'kept') return [];
    const { definition, stored } = fate;
    this.#refs.inPlace(envelope.args);
    const named = this.#refs.idle ? envelope : this.#renamed(envelope, definition);
    // Answers go where their questions say, and letters where they lie.
    if (envelope.handler.startsWith(OWN_NAME)) return [named];
    if (stored === definition.version) return this.#handled(type, definition, named);
    const message = this.#trying(type, () => migrateMessage(definition, stored, named));
    if (message === undefined) return [];
    if (message !== null) return this.#handled(type, definition, message);
    tally.messagesDropped++;
    return [];
  }

  #renamed(envelope: Envelope, { name }: AnyActor): Envelope {
    const { reply } = envelope;
    if (reply === null || !('call' in reply)) return { ...envelope, type: name };
    return { ...envelope, type: name, reply: { ...reply, type: newName(reply.type, this.#mapping) } };
  }

  #handled(type: string, { on }: AnyActor, envelope: Envelope): Envelope[] {
    const { handler } = envelope;
    if (on[handler] === undefined) this.#fail(type, handlerUnknown(this.#record, type, handler));
    return [envelope];
  }

  /** A table that the state has no more would be found out by the worker that loads it: too late. */
  #lookForTable({ type, key, table }: UnitData, definition: AnyActor): void {
    if (table === '' || isOwnTable(table) || this.#tables.get(type)?.has(table) === true) return;
    this.#trying(type, () => this.#tables.set(type, tablesOf(definition, key)));
    if (this.#tables.get(type)?.has(table) === false) this.#fail(type, tableGone(this.#record, type, table));
  }

  #row(type: string): PlanRow {
    const { definitions } = this.#program;
    const name = newName(type, this.#mapping);
    return {
      type,
      outcome: this.#outcome(type),
      to: name === type ? null : name,
      stored: this.#record.definitions[type] ?? null,
      defined: definitions.get(name)?.version ?? null,
      ...(this.#tallies.get(type) ?? NOTHING),
    };
  }

  #outcome(type: string): PlanOutcome {
    const held = this.#held(type);
    if (this.#failures.has(type)) return 'failed';
    const fate = this.#fates.get(type) ?? fateOf(type, this.#record, this.#mapping, this.#program);
    switch (fate.kind) {
      case 'task':
        return held ? 'mapped' : 'new';
      case 'dropped':
        return held ? 'dropped' : 'empty';
      case 'unclaimed':
        return held ? 'unclaimed' : 'empty';
      case 'other-version':
        return held ? 'other-version' : 'mapped';
      case 'kept':
        if (!held && this.#record.definitions[type] === undefined) return 'new';
        if (held && fate.stored !== fate.definition.version) return 'migrated';
        return fate.definition.name === type ? 'mapped' : 'renamed';
    }
  }

  #held(type: string): boolean {
    const { units, messages } = this.#tallies.get(type) ?? NOTHING;
    return units + messages > 0;
  }

  #fate(type: string): Fate {
    let fate = this.#fates.get(type);
    if (fate === undefined) {
      fate = fateOf(type, this.#record, this.#mapping, this.#program);
      this.#fates.set(type, fate);
    }
    return fate;
  }

  #tally(type: string): Tally {
    let tally = this.#tallies.get(type);
    if (tally === undefined) this.#tallies.set(type, (tally = { ...NOTHING }));
    return tally;
  }

  #trying<T>(type: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      this.#fail(type, error);
      return undefined;
    }
  }

  #fail(type: string, error: CheckpointError | ActorError): void {
    if (!this.#failures.has(type)) this.#failures.set(type, error);
  }
}

const NOTHING: Tally = { units: 0, messages: 0, messagesDropped: 0, refs: 0 };
