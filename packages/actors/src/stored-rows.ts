import { decodeValue } from './codec.ts';
import { hashKeys, hashOfKey } from './stored-keys.ts';

/** Rows of one table as a checkpoint holds them. */
export interface RowsData {
  /** `encodeValue([keys, values])`; its memory does not change any more, and may be shared. */
  readonly body: Uint8Array;
  /** Keys that are not taken from here: newer files have said what they are, each with a set. */
  readonly hidden: readonly ReadonlySet<unknown>[];
}

/** Calls `take` with each row of the data that counts. */
export function decodeRowsData<K, V>({ body, hidden }: RowsData, take: (key: K, value: V) => void): void {
  // Of their own: bytes that are shared with other threads are not what every decoder takes.
  const [keys, values] = decodeValue(new Uint8Array(body)) as readonly [readonly K[], readonly V[]];
  for (const [i, key] of keys.entries()) if (!hidden.some((newer) => newer.has(key))) take(key, values[i]);
}

/** The keys alone of `encodeValue([keys, values])`. */
export function decodeKeys<K>(body: Uint8Array): readonly K[] {
  const end = hashKeys(body, () => undefined);
  const [keys] = end === null ? (decodeValue(body) as readonly [readonly K[]]) : [decodeValue(body.slice(1, end))];
  return keys as readonly K[];
}

/**
 * Rows that wait, still encoded, until one of them is asked for: a table of a million rows is there again at once after a
 * restore. Who asks for a key first has all keys looked over; then only the rows that are stored with that one are decoded.
 *
 * - A19 Data waits or has been taken as a whole, never both: whoever asks for a key takes all data first that may hold it.
 */
export class StoredRows<K extends string | number, V> {
  readonly #take: (key: K, value: V) => void;
  /** Null where it was taken. */
  readonly #waiting: (RowsData | null)[] = [];
  #left = 0;
  #next = 0;
  /** Data whose keys were looked over. */
  #known = 0;
  /** Of each row: the hash of its key, and in which of the data it is. */
  #hashes = new Uint32Array(FIRST_ROWS);
  #places = new Uint32Array(FIRST_ROWS);
  #rows = 0;
  /** Number of a row + 1, by open addressing with its hash. */
  #slots = new Uint32Array(1);

  /** @param take gets each row, once */
  constructor(take: (key: K, value: V) => void) {
    this.#take = take;
  }

  add(data: RowsData): void {
    this.#waiting.push(data);
    this.#left++;
  }

  /** Everything was taken. */
  get isEmpty(): boolean {
    return this.#left === 0;
  }

  /** Takes the rows of all data that may hold the key. */
  take(key: K): void {
    if (this.#known < this.#waiting.length) this.#lookOver();
    const slots = this.#slots;
    const hash = hashOfKey(key);
    const mask = slots.length - 1;
    for (let at = hash & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const row = slots[at] - 1;
      if (this.#hashes[row] === hash) this.#decode(this.#places[row]);
    }
  }

  /** Takes the rows of some data that waits, if there is any. */
  takeNext(): void {
    while (this.#next < this.#waiting.length && this.#waiting[this.#next] === null) this.#next++;
    this.#decode(this.#next);
  }

  #decode(place: number): void {
    const data = this.#waiting[place] ?? null;
    if (data === null) return;
    this.#waiting[place] = null;
    this.#left--;
    decodeRowsData(data, this.#take);
  }

  #lookOver(): void {
    for (; this.#known < this.#waiting.length; this.#known++) {
      const data = this.#waiting[this.#known];
      if (data === null) continue;
      const before = this.#rows;
      if (hashKeys(data.body, (hash) => this.#note(hash, this.#known)) !== null) continue;
      // Keys of a form that nobody knows here: these rows do not wait.
      this.#rows = before;
      this.#decode(this.#known);
    }
    const slots = new Uint32Array(2 ** Math.ceil(Math.log2(this.#rows * 2 + 1)));
    const mask = slots.length - 1;
    for (let row = 0; row < this.#rows; row++) {
      let at = this.#hashes[row] & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = row + 1;
    }
    this.#slots = slots;
  }

  #note(hash: number, place: number): void {
    if (this.#rows === this.#hashes.length) {
      this.#hashes = doubled(this.#hashes);
      this.#places = doubled(this.#places);
    }
    this.#hashes[this.#rows] = hash;
    this.#places[this.#rows++] = place;
  }
}

const FIRST_ROWS = 64;

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
