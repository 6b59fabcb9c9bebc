import { decodeValue, encodeValue, type PackedFrame, type UnitData } from '@tidemark/actors/internal';
import { eachEntry, type FrameHead, KIND, type RowsBody, type RowsHead, type UnitHead } from './entry.ts';
import { readPartFile } from './part-file.ts';

/** What a thread's part holds at its checkpoint, its values still packed. */
export interface PartContent {
  readonly units: UnitData[];
  readonly mail: PackedFrame[];
  readonly channels: PackedFrame[];
  readonly outboxes: PackedFrame[];
}

/** What one file of a part holds. */
export interface PartFileContent extends PartContent {
  /** Cut of the file that it builds on; 0 for a full file. */
  readonly base: number;
  /** Units that are no more; they come before `units`: what is there again is in both. */
  readonly gone: readonly UnitHead[];
  /** Units that count only in the newest file. */
  readonly passing: readonly UnitData[];
}

/**
 * Reads one part file whose sha256 was verified.
 *
 * @throws RangeError or Error when the bytes are not a part
 * @throws CheckpointError `COMPRESSION_UNAVAILABLE`
 */
export function readPart(bytes: Uint8Array): PartFileContent {
  const { base, payloads } = readPartFile(bytes);
  const units: UnitData[] = [];
  const gone: UnitHead[] = [];
  const passing: UnitData[] = [];
  const motion: Record<'mail' | 'channels' | 'outboxes', PackedFrame[]> = { mail: [], channels: [], outboxes: [] };
  const take = (kind: number, head: unknown, body: Uint8Array): void => {
    if (kind === KIND.unit) units.push(unitOf(head as UnitHead, body));
    else if (kind === KIND.rows) for (const unit of rowUnits(head as RowsHead, body)) units.push(unit);
    else if (kind === KIND.gone) gone.push(head as UnitHead);
    else if (kind === KIND.passing) passing.push(unitOf(head as UnitHead, body));
    else if (kind === KIND.mail) motion.mail.push(frameOf(head as FrameHead, body));
    else if (kind === KIND.channel) motion.channels.push(frameOf(head as FrameHead, body));
    else if (kind === KIND.outbox) motion.outboxes.push(frameOf(head as FrameHead, body));
    else throw new Error(`unknown kind of entry: ${kind}`);
  };
  for (const { payload, entries } of payloads) {
    const found = eachEntry(payload, take);
    if (entries !== null && entries !== found)
      throw new Error(`a block has ${found} entries, its index says ${entries}`);
  }
  return { base, units, gone, passing, ...motion };
}

/**
 * Puts the files of one part together, from its full file to its newest (C22): the newest word on a unit counts.
 * Motion and passing units are the newest file's.
 */
export function mergeFiles(files: readonly PartFileContent[]): PartContent {
  const newest = files[files.length - 1];
  const { mail, channels, outboxes } = newest;
  // From the newest down: what a newer file has said of a unit hides what older ones say.
  const said = new Said();
  const kept: UnitData[][] = [];
  for (let i = files.length - 1; i >= 0; i--) {
    const { units, gone } = files[i];
    kept.push(i === files.length - 1 ? units : units.filter((unit) => !said.has(unit)));
    if (i === 0) break;
    for (const unit of units) said.add(unit.type, unit.key, unit.table, unit.tableKey);
    for (const [type, key, table, tableKey] of gone) {
      if (tableKey === null) said.addActor(type, key);
      else said.add(type, key, table, tableKey);
    }
  }
  return { units: [...kept.toReversed().flat(), ...newest.passing], mail, channels, outboxes };
}

/** Addresses of units, quick to look up: those of one table follow each other. */
class Said {
  readonly #tables = new Map<string, Set<string | number | null>>();
  /** Actors that are gone with all their tables. */
  readonly #actors = new Set<string>();
  #last: {
    type: string;
    key: string;
    table: string;
    keys: Set<string | number | null> | undefined;
    gone: boolean;
  } | null = null;

  add(type: string, key: string, table: string, tableKey: string | number | null): void {
    const name = tableName(type, key, table);
    let keys = this.#tables.get(name);
    if (keys === undefined) this.#tables.set(name, (keys = new Set()));
    keys.add(tableKey);
    this.#last = null;
  }

  addActor(type: string, key: string): void {
    this.#actors.add(tableName(type, key, ''));
    this.#last = null;
  }

  has({ type, key, table, tableKey }: UnitData): boolean {
    let last = this.#last;
    if (last === null || last.type !== type || last.key !== key || last.table !== table) {
      const keys = this.#tables.get(tableName(type, key, table));
      const gone = this.#actors.has(tableName(type, key, ''));
      this.#last = last = { type, key, table, keys, gone };
    }
    return last.gone || last.keys?.has(tableKey) === true;
  }
}

function tableName(type: string, key: string, table: string): string {
  return JSON.stringify([type, key, table]);
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
