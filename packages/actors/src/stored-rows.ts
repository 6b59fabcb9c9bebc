import { decodeValue } from './codec.ts';
import { hashKeys, hashOfKey } from './stored-keys.ts';

/** Rows of one table as a checkpoint holds them. */
export interface RowsData {
  /** `encodeValue([keys, values])`; its memory does not change any more, and may be shared. */
  readonly body: Uint8Array;
  /** Keys that are not taken from here: newer files have said what they are. */
  readonly hidden: ReadonlySet<unknown> | null;
}

/** Calls `take` with each row of the data that counts. */
export function decodeRowsData<K, V>({ body, hidden }: RowsData, take: (key: K, value: V) => void): void {
  // Of their own: bytes that are shared with other threads are not what every decoder takes.
  const [keys, values] = decodeValue(body.slice()) as readonly [readonly K[], readonly V[]];
  for (const [i, key] of keys.entries()) if (hidden?.has(key) !== true) take(key, values[i]);
}

/** The keys alone of `encodeValue([keys, values])`. */
export function decodeKeys<K>(body: Uint8Array): readonly K[] {
  const end = hashKeys(body, () => undefined);
  const [keys] = end === null ? (decodeValue(body) as readonly [readonly K[]]) : [decodeValue(body.slice(1, end))];
  return keys as readonly K[];
}

/**
 * Rows that wait, still encoded, until one of them is asked for: a table of a million rows is there again after a restore as
 * soon as its keys have been looked over.
 *
 * - A13 Data waits or has been taken as a whole, never both: whoever asks for a key takes all data first that may hold it.
 */
export class StoredRows<K extends string | number, V> {
  /** Null where it was taken. */
  readonly #waiting: (RowsData | null)[] = [];
  #left = 0;
  #next = 0;
  /** Of each row: the hash of its key, and in which of the data it is. */
  #hashes = new Uint32Array(FIRST_ROWS);
  #places = new Uint32Array(FIRST_ROWS);
  #rows = 0;
  /** Number of a row + 1, by open addressing with its hash; made when somebody asks first. */
  #slots: Uint32Array | null = null;

  /** Adds data, unless its keys cannot be looked over. Answers whether it did. */
  add(data: RowsData): boolean {
    const place = this.#waiting.length;
    const before = this.#rows;
    if (hashKeys(data.body, (hash) => this.#note(hash, place)) === null) {
      this.#rows = before;
      return false;
    }
    this.#waiting.push(data);
    this.#left++;
    this.#slots = null;
    return true;
  }

  /** Everything was taken. */
  get isEmpty(): boolean {
    return this.#left === 0;
  }

  /** Takes the rows of all data that may hold the key. */
  take(key: K, take: (key: K, value: V) => void): void {
    const slots = (this.#slots ??= this.#index());
    const hash = hashOfKey(key);
    const mask = slots.length - 1;
    for (let at = hash & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const row = slots[at] - 1;
      if (this.#hashes[row] === hash) this.#decode(this.#places[row], take);
    }
  }

  /** Takes the rows of some data that waits, if there is any. */
  takeNext(take: (key: K, value: V) => void): void {
    while (this.#next < this.#waiting.length && this.#waiting[this.#next] === null) this.#next++;
    this.#decode(this.#next, take);
  }

  #decode(place: number, take: (key: K, value: V) => void): void {
    const data = this.#waiting[place] ?? null;
    if (data === null) return;
    this.#waiting[place] = null;
    this.#left--;
    decodeRowsData(data, take);
  }

  #note(hash: number, place: number): void {
    if (this.#rows === this.#hashes.length) {
      this.#hashes = doubled(this.#hashes);
      this.#places = doubled(this.#places);
    }
    this.#hashes[this.#rows] = hash;
    this.#places[this.#rows++] = place;
  }

  #index(): Uint32Array {
    const slots = new Uint32Array(2 ** Math.ceil(Math.log2(this.#rows * 2 + 1)));
    const mask = slots.length - 1;
    for (let row = 0; row < this.#rows; row++) {
      let at = this.#hashes[row] & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = row + 1;
    }
    return slots;
  }
}

const FIRST_ROWS = 64;

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
