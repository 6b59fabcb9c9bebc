import { decodeValue, encodeValue, type FileBytes, type PackedFrame, type UnitData } from '@tidemark/actors/internal';
import {
  entriesOf,
  type FrameHead,
  type Kind,
  KIND,
  type RowsBody,
  type RowsHead,
  UNIT_KINDS,
  type UnitHead,
} from './entry.ts';
import { readPartFile } from './part-file.ts';
import type { Held } from './part-writer.ts';
import { Said } from './said.ts';

/** What a thread's part holds at its checkpoint, its values still packed. */
export interface PartContent {
  readonly units: UnitData[];
  readonly mail: PackedFrame[];
  readonly channels: PackedFrame[];
  readonly outboxes: PackedFrame[];
  /** The files that it was read from, the full one first; not there where it was made otherwise. */
  readonly files?: readonly PartFileContent[];
}

/** What one file of a part holds. */
export interface PartFileContent extends PartContent {
  /** All of the file. */
  readonly bytes: FileBytes;
  /** Cut of the file that it builds on; 0 for a full file. */
  readonly base: number;
  /** What its units belong to; null in format 1, which does not say. */
  readonly holds: readonly Held[] | null;
  /** Units that are no more; they come before `units`: what is there again is in both. */
  readonly gone: readonly UnitHead[];
  /** Units that count only in the newest file. */
  readonly passing: readonly UnitData[];
  /** Key of the first actor of that kind that has units of that table here; null where all of them are gone. */
  firstKey(type: string, table: string): string | null;
}

/**
 * Reads one part file. Its units are decoded when somebody asks for them.
 *
 * @param isVerified see readPartFile
 * @throws RangeError or Error when the bytes are not a part
 * @throws CheckpointError `COMPRESSION_UNAVAILABLE`
 */
export function readPart(bytes: FileBytes, isVerified = false): PartFileContent {
  return new ReadPart(bytes, isVerified);
}

const LIVE_KINDS: ReadonlySet<Kind> = new Set([KIND.unit, KIND.rows, KIND.passing]);
const MOTION_KINDS: ReadonlySet<Kind> = new Set([KIND.mail, KIND.channel, KIND.outbox]);

class ReadPart implements PartFileContent {
  readonly bytes: FileBytes;
  readonly base: number;
  readonly holds: readonly Held[] | null;
  readonly mail: PackedFrame[] = [];
  readonly channels: PackedFrame[] = [];
  readonly outboxes: PackedFrame[] = [];
  readonly #payloads: readonly Uint8Array[];
  #read: { readonly units: UnitData[]; readonly gone: UnitHead[]; readonly passing: UnitData[] } | null = null;

  constructor(bytes: FileBytes, isVerified: boolean) {
    const { base, holds, payloads } = readPartFile(bytes, isVerified);
    this.bytes = bytes;
    this.base = base;
    this.holds = holds;
    this.#payloads = payloads.map(({ payload }) => payload);
    for (const { payload, entries } of payloads) {
      const found = this.#motion(payload);
      if (entries !== null && entries !== found) {
        throw new Error(`a block has ${found} entries, its index says ${entries}`);
      }
    }
  }

  get units(): UnitData[] {
    return this.#all().units;
  }

  get gone(): readonly UnitHead[] {
    return this.#all().gone;
  }

  get passing(): readonly UnitData[] {
    return this.#all().passing;
  }

  firstKey(type: string, table: string): string | null {
    for (const payload of this.#payloads) {
      for (const { head } of entriesOf(payload, LIVE_KINDS)) {
        const [ofType, key, ofTable] = head as RowsHead;
        if (ofType === type && ofTable === table && key !== null) return key;
      }
    }
    return null;
  }

  #motion(payload: Uint8Array): number {
    const entries = entriesOf(payload, MOTION_KINDS);
    for (let next = entries.next(); ; next = entries.next()) {
      if (next.done === true) return next.value;
      const { kind, head, body } = next.value;
      const frame = frameOf(head as FrameHead, body);
      if (kind === KIND.mail) this.mail.push(frame);
      else if (kind === KIND.channel) this.channels.push(frame);
      else this.outboxes.push(frame);
    }
  }

  #all(): { readonly units: UnitData[]; readonly gone: UnitHead[]; readonly passing: UnitData[] } {
    if (this.#read !== null) return this.#read;
    const units: UnitData[] = [];
    const gone: UnitHead[] = [];
    const passing: UnitData[] = [];
    for (const payload of this.#payloads) {
      for (const { kind, head, body } of entriesOf(payload, UNIT_KINDS)) {
        if (kind === KIND.rows) for (const unit of rowUnits(head as RowsHead, body)) units.push(unit);
        else if (kind === KIND.gone) gone.push(head as UnitHead);
        else if (kind === KIND.passing) passing.push(unitOf(head as UnitHead, body));
        else units.push(unitOf(head as UnitHead, body));
      }
    }
    return (this.#read = { units, gone, passing });
  }
}

/**
 * Puts the files of one part together, from its full file to its newest (C22): the newest word on a unit counts.
 * Motion and passing units are the newest file's.
 */
export function mergeFiles(files: readonly PartFileContent[]): PartContent {
  return new MergedPart(files);
}

class MergedPart implements PartContent {
  readonly files: readonly PartFileContent[];
  readonly mail: PackedFrame[];
  readonly channels: PackedFrame[];
  readonly outboxes: PackedFrame[];
  #units: UnitData[] | null = null;

  constructor(files: readonly PartFileContent[]) {
    this.files = files;
    const { mail, channels, outboxes } = files[files.length - 1];
    this.mail = mail;
    this.channels = channels;
    this.outboxes = outboxes;
  }

  get units(): UnitData[] {
    return (this.#units ??= mergedUnits(this.files));
  }
}

function mergedUnits(files: readonly PartFileContent[]): UnitData[] {
  // From the newest down: what a newer file has said of a unit hides what older ones say.
  const said = new Said();
  const kept: UnitData[][] = [];
  for (const { units, gone } of files.toReversed()) {
    kept.push(units.filter((unit) => !said.has(unit.type, unit.key, unit.table, unit.tableKey)));
    for (const unit of units) said.add(unit.type, unit.key, unit.table, unit.tableKey);
    for (const head of gone) said.add(...head, true);
  }
  return [...kept.toReversed().flat(), ...(files.at(-1)?.passing ?? [])];
}

/** A unit that was encoded with others: its own bytes are made when somebody asks. */
class RowUnit implements UnitData {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly tableKey: string | number | null;
  readonly #value: unknown;

  constructor([type, of, table]: RowsHead, key: string | number, value: unknown) {
    this.type = type;
    this.key = of ?? String(key);
    this.table = table;
    this.tableKey = of === null ? null : key;
    this.#value = value;
  }

  get value(): Uint8Array {
    return encodeValue(this.#value);
  }
}

function* rowUnits(head: RowsHead, body: Uint8Array): Iterable<UnitData> {
  const [keys, values] = decodeValue(body) as RowsBody;
  for (const [i, key] of keys.entries()) yield new RowUnit(head, key, values[i]);
}

function unitOf([type, key, table, tableKey]: UnitHead, value: Uint8Array): UnitData {
  return { type, key, table, tableKey, value };
}

function frameOf([codec, count]: FrameHead, body: Uint8Array): PackedFrame {
  return { codec, count, body };
}
