import { FRAME_WEIGHT_MIN } from './limits.ts';
import { systemRandom } from './random.adapter.ts';
import {
  CODE_NAME_WEIGHT,
  CODE_WEIGHT,
  FIELDS_MANY,
  hasManyShapes,
  isDigit,
  NAME_WEIGHT,
  SHAPE_WEIGHT,
  shapesWeightMax,
} from './shapes.ts';

/**
 * How long a value takes to be read, from its bytes alone: its weight, 1 for each 50 ns. Objects are what is dear: the byte
 * 0x80 is a Map.
 *
 * A frame that weighs more than three fifths of its bytes, and more than `FRAME_WEIGHT_MIN`, is refused, and none is written: a
 * megabyte takes 50 ms at most, with some to spare. The rule stands in packages/checkpoint/FORMAT.md under "Frames".
 */

// What is made, beside its bytes. Measured on Node 20, with the garbage that each leaves.
const ARRAY = 2;
const MAP = 6;
const OBJECT = 1;
const EMPTY_OBJECT = 3;
const BYTES = 6;
/** Uses of a shape after which the library makes code for it. */
const CODE_USES = 3;
/** A field of an object that is kept as a table. */
const TABLE_FIELD = 4;
/** Each value, where there are too many shapes for the library: `readPlain` takes longer. */
const PLAIN = 1;

/** By the type of an extension; others are never written. */
const EXTENSIONS = new Map([
  [0x00, 1],
  [0x42, 5],
  [0x69, 4],
  [0x70, 1],
  [0x73, 4],
  [0x74, 14],
  [0xff, 7],
]);
const SET_TYPE = 0x73;
const ID_TYPE = 0x69;
const SHAPE_TYPE = 0x72;

/** More than any byte from 0x80 on weighs, beside shapes. */
const HIGH_BYTE_MAX = 16;

/** What a byte may weigh. */
const WEIGHT_SHARE = 0.6;

/** The weight up to which a frame of these bytes is read. */
export function weightMax(bytes: Uint8Array): number {
  return Math.max(Math.floor(bytes.length * WEIGHT_SHARE), FRAME_WEIGHT_MIN);
}

/** Bytes that a frame of this weight has at least; fewer will do for one of little weight. */
export function bytesFor(weight: number): number {
  return Math.ceil(weight / WEIGHT_SHARE);
}

/** Whether bytes surely weigh no more than they may: by a look at each of them, for whoever writes. */
export function isSurelyLight(bytes: Uint8Array): boolean {
  const max = weightMax(bytes);
  if (bytes.length * HIGH_BYTE_MAX <= max) return true;
  // An object with fields weighs less than its bytes; what else there is begins with a high byte.
  return highBytes(bytes) * HIGH_BYTE_MAX + bytes.length / 2 + shapesWeightMax(bytes) <= max;
}

/** The same by a few of the bytes, which nobody can foresee: likely enough for whoever reads, and takes no time. */
export function isLikelyLight(bytes: Uint8Array): boolean {
  const max = weightMax(bytes);
  if (bytes.length * HIGH_BYTE_MAX <= max) return true;
  let chance = Math.floor(systemRandom() * 0x1_0000_0000);
  let weight = 0;
  for (let at = 0; at + SAMPLED_OF <= bytes.length; at += SAMPLED_OF) {
    chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) | 0;
    weight += BY_TOKEN[bytes[at + (chance >>> 27)]];
  }
  return weight * SAMPLED_OF + shapesWeightMax(bytes) <= max;
}

/** One byte of so many is looked at: by the upper five bits of chance. */
const SAMPLED_OF = 32;

/** What a byte weighs where a value begins with it. */
const BY_TOKEN = Uint8Array.from({ length: 256 }, (_, token) => {
  if (token < 0x80) return 0;
  if (token < 0x90 || token === 0xde || token === 0xdf) return MAP;
  if (token < 0xa0 || token === 0xdc || token === 0xdd) return ARRAY;
  if (token >= 0xc4 && token <= 0xc6) return BYTES;
  return (token >= 0xc7 && token <= 0xc9) || (token >= 0xd4 && token <= 0xd8) ? HIGH_BYTE_MAX : 0;
});

/** How many bytes are 0x80 or more, at most seven too many: four are looked at together. */
function highBytes(bytes: Uint8Array): number {
  const from = (4 - (bytes.byteOffset & 3)) & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + from, (bytes.length - from) >> 2);
  let count = from + 3;
  for (let i = 0; i < words.length; ) {
    const end = Math.min(words.length, i + 0x7f);
    let sums = 0;
    for (; i < end; i++) sums += (words[i] >>> 7) & 0x0101_0101;
    count += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24);
  }
  return count;
}

/**
 * The weight of the value that these bytes begin with, counted on only until it is more than `max`.
 *
 * @throws RangeError where they are no value
 */
export function weightOf(bytes: Uint8Array, max: number): number {
  return new Scale(bytes, max).weigh();
}

/** A shape: how many names, what one object of it weighs, how often it was met. */
interface Shape {
  readonly names: number;
  readonly weight: number;
  uses: number;
}

class Scale {
  readonly #bytes: Uint8Array;
  readonly #max: number;
  readonly #view: DataView;
  readonly #shapes: (Shape | undefined)[] = [];
  #at = 0;
  #weight = 0;
  /** Values that must still come. */
  #left = 1;

  constructor(bytes: Uint8Array, max: number) {
    this.#bytes = bytes;
    this.#max = max;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  weigh(): number {
    const bytes = this.#bytes;
    const each = hasManyShapes(bytes) ? PLAIN : 0;
    while (this.#left > 0 && this.#weight <= this.#max) {
      // Each has a byte at least: no length is believed.
      if (this.#left > bytes.length - this.#at) throw new RangeError('a value is cut short');
      this.#left--;
      this.#weight += each;
      const token = bytes[this.#at++];
      if (token < 0x40 || token >= 0xe0) continue;
      if (token < 0x80) this.#object(token & 0x3f);
      else if (token < 0x90) this.#more(MAP, (token & 0x0f) * 2);
      else if (token < 0xa0) this.#more(ARRAY, token & 0x0f);
      else if (token < 0xc0) this.#at += token & 0x1f;
      else this.#long(token);
    }
    return this.#weight;
  }

  #more(weight: number, values: number): void {
    this.#weight += weight;
    this.#left += values;
  }

  #long(token: number): void {
    if (token >= 0xc4 && token <= 0xc6) {
      this.#weight += BYTES;
      this.#skip(this.#length(token - 0xc4));
    } else if (token >= 0xc7 && token <= 0xc9) this.#extension(this.#length(token - 0xc7));
    else if (token >= 0xd4 && token <= 0xd8) this.#extension(1 << (token - 0xd4));
    else if (token >= 0xd9 && token <= 0xdb) this.#skip(this.#length(token - 0xd9));
    else if (token === 0xdc || token === 0xdd) this.#more(ARRAY, this.#length(token - 0xdb));
    else if (token === 0xde || token === 0xdf) this.#more(MAP, this.#length(token - 0xdd) * 2);
    else this.#skip(NUMBER_BYTES.get(token) ?? 0);
  }

  #skip(count: number): void {
    this.#at += count;
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  #length(size: number): number {
    const at = this.#at;
    this.#at += 1 << size;
    if (size === 0) return this.#view.getUint8(at);
    return size === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #object(id: number): void {
    const shape = this.#shapes[id];
    if (shape === undefined) throw new RangeError(`no record ${id}`);
    if (shape.uses++ === CODE_USES) this.#weight += CODE_WEIGHT + CODE_NAME_WEIGHT * shape.names;
    this.#more(shape.weight, shape.names);
  }

  #extension(length: number): void {
    const type = this.#bytes[this.#at++];
    const data = this.#bytes[this.#at];
    this.#at += length;
    if (type === SHAPE_TYPE) {
      this.#define(data & 0x3f);
      return;
    }
    const weight = EXTENSIONS.get(type);
    if (weight === undefined) throw new RangeError(`no extension ${type}`);
    this.#more(weight, type === SET_TYPE || type === ID_TYPE ? 1 : 0);
  }

  #define(id: number): void {
    const token = this.#bytes[this.#at++];
    const names =
      token >= 0x90 && token < 0xa0 ? token - 0x90 : token === 0xdc || token === 0xdd ? this.#length(token - 0xdb) : -1;
    if (names < 0 || names > this.#bytes.length - this.#at) throw new RangeError('no names');
    let tableFields = names < FIELDS_MANY ? 0 : names;
    for (let i = 0; i < names; i++) {
      const text = this.#bytes[this.#at++];
      if (text >= 0xa0 && text < 0xc0) this.#skipName(text & 0x1f, () => tableFields++);
      else if (text >= 0xd9 && text <= 0xdb) this.#skipName(this.#length(text - 0xd9), () => tableFields++);
      else throw new RangeError('a name that is no text');
    }
    const weight = (names === 0 ? EMPTY_OBJECT : OBJECT) + tableFields * TABLE_FIELD;
    this.#shapes[id] = { names, weight, uses: 0 };
    this.#more(SHAPE_WEIGHT + NAME_WEIGHT * names + weight, names);
  }

  #skipName(length: number, isNumber: () => void): void {
    if (isDigit(this.#bytes[this.#at])) isNumber();
    this.#at += length;
  }
}

/** By the kind of number, what follows it. */
const NUMBER_BYTES = new Map([
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
]);
