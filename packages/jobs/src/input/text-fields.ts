/**
 * Makes strings of fields. Owns a cache of short strings, and for the time of one `parse` a view and a decoded window
 * of the caller's bytes.
 *
 * A call into C++ costs 70 ns, half of all the rest of a row, so each field takes the cheapest way that holds:
 * - up to 8 bytes: a cache addressed by the bytes themselves. A hit costs some 5 ns and gives the same string each time,
 *   whose hash is known already when it becomes the key of a Map.
 * - up to 12 ASCII characters: a substring of the window, 1 KB decoded at once. V8 copies substrings this short
 *   (SlicedString::kMinLength is 13), so they keep nothing alive.
 * - else: decoded by itself, an exact copy. A substring of the window would be three times as quick, but would keep the
 *   window alive: a million such strings in state would hold 1 GB instead of 50 MB.
 */
import { asciiMax, latin1Slice, utf8Slice } from './bytes.ts';

/** Longest field in the cache, in bytes: what two integers of 32 bits hold. */
export const cachedBytesMax = 8;

/** Longest substring that V8 copies, in characters. */
const copiedLengthMax = 12;

const windowBytes = 1024;

/** A power of two; enough for thousands of codes, names or small numbers, in about 200 KB with their strings. */
const cacheEntries = 4096;
const hashShift = 32 - 12;

/** By length of a field: which bits of its first and second four bytes belong to it. */
const lowMask = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const highMask = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);
const notAscii = 0x80808080 | 0;

const noBytes = Buffer.alloc(0);
const noView = new DataView(new ArrayBuffer(0));

export class TextFields {
  readonly #low = new Int32Array(cacheEntries);
  readonly #high = new Int32Array(cacheEntries);
  /** Tells "a" from "a\0"; an entry is not used while it is -1. */
  readonly #length = new Int8Array(cacheEntries).fill(-1);
  readonly #text: string[] = new Array<string>(cacheEntries).fill('');
  #bytes: Buffer = noBytes;
  #view: DataView = noView;
  #end = 0;
  #window = '';
  #windowStart = 0;
  #windowEnd = 0;

  /** Begins to read `bytes`; what lies before `end` may be decoded ahead. */
  open(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = end;
    this.#windowEnd = 0;
  }

  close(): void {
    this.#bytes = noBytes;
    this.#view = noView;
  }

  /** Whether the `length` bytes at `start` are those at `before`; both must lie within the bytes. */
  same(start: number, before: number, length: number): boolean {
    const view = this.#view;
    let at = 0;
    while (at + 4 <= length && view.getInt32(start + at, true) === view.getInt32(before + at, true)) at += 4;
    if (at + 4 <= length) return false;
    while (at < length && view.getInt8(start + at) === view.getInt8(before + at)) at++;
    return at === length;
  }

  /** The string of a field of at most 8 bytes. */
  short(start: number, length: number): string {
    let low: number;
    let high: number;
    if (start + cachedBytesMax <= this.#bytes.length) {
      low = this.#view.getInt32(start, true) & lowMask[length];
      high = length > 4 ? this.#view.getInt32(start + 4, true) & highMask[length] : 0;
    } else {
      low = this.#packed(start, Math.min(length, 4));
      high = this.#packed(start + 4, length - 4);
    }
    const slot = Math.imul(low ^ Math.imul(high, 0x5bd1e995), 0x9e3779b1) >>> hashShift;
    if (this.#low[slot] === low && this.#high[slot] === high && this.#length[slot] === length) return this.#text[slot];
    // Each string has a second place, so that two frequent ones of equal hash do not push each other out.
    const second = slot ^ 1;
    if (this.#low[second] === low && this.#high[second] === high && this.#length[second] === length)
      return this.#text[second];
    this.#low[second] = this.#low[slot];
    this.#high[second] = this.#high[slot];
    this.#length[second] = this.#length[slot];
    this.#text[second] = this.#text[slot];
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#length[slot] = length;
    return (this.#text[slot] = this.long(start, start + length, ((low | high) & notAscii) === 0 ? 0 : asciiMax + 1));
  }

  /** The string of a field of any length; `ored` is all its bytes OR-ed, which tells whether they are ASCII. */
  long(start: number, end: number, ored: number): string {
    if (ored > asciiMax) return utf8Slice(this.#bytes, start, end);
    if (end - start > copiedLengthMax) return latin1Slice(this.#bytes, start, end);
    if (start < this.#windowStart || end > this.#windowEnd) {
      this.#windowStart = start;
      this.#windowEnd = Math.max(end, Math.min(start + windowBytes, this.#end));
      this.#window = latin1Slice(this.#bytes, start, this.#windowEnd);
    }
    return this.#window.substring(start - this.#windowStart, end - this.#windowStart);
  }

  #packed(start: number, length: number): number {
    let word = 0;
    for (let index = 0; index < length; index++) word |= this.#bytes[start + index] << (8 * index);
    return word;
  }
}
