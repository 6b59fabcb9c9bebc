import { TYPED_ARRAYS } from './typed-arrays.ts';

/**
 * Reads values without making code for their shapes: for bytes with so many shapes that making it would take longer than
 * all else. What it reads is what packages/checkpoint/FORMAT.md says under "Values", and nothing more.
 *
 * @param objects whether one object may stand in two places
 * @throws an error of any kind when the bytes are not one value
 */
export function readPlain(bytes: Uint8Array, objects: 'shared' | 'single'): unknown {
  const reader = new PlainReader(bytes, objects === 'shared' ? new Map() : null);
  const value = reader.value();
  if (!reader.atEnd) throw new RangeError('bytes after a value');
  return value;
}

const ARRAY_BUFFER = 16;
const DATA_VIEW = 17;

class PlainReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #records: (readonly string[])[] = [];
  readonly #shared: Map<number, unknown> | null;
  #at = 0;

  constructor(bytes: Uint8Array, shared: Map<number, unknown> | null) {
    this.#shared = shared;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(): unknown {
    const token = this.#view.getUint8(this.#at++);
    if (token < 0x40) return token;
    if (token < 0x80) return this.#record(token & 0x3f);
    if (token < 0x90) return this.#map(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.#text(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    return this.#long(token);
  }

  #long(token: number): unknown {
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Uint8Array.from(this.#take(this.#length(token - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(token - 0xc7));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#length(token - 0xcc);
      case 0xcf:
        return this.#view.getBigUint64(this.#skip(8));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return this.#view.getBigInt64(this.#skip(8));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(token - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(token - 0xdb));
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(token - 0xdd));
      default:
        throw new RangeError(`no value begins with ${token.toString(16)}`);
    }
  }

  #skip(count: number): number {
    this.#at += count;
    return this.#at - count;
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError('a value is cut short');
    return this.#bytes.subarray(this.#at, (this.#at = end));
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  #length(size: number): number {
    if (size === 0) return this.#view.getUint8(this.#skip(1));
    return size === 1 ? this.#view.getUint16(this.#skip(2)) : this.#view.getUint32(this.#skip(4));
  }

  #text(count: number): string {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError('a text is cut short');
    return this.#bytes.toString('utf8', this.#at, (this.#at = end));
  }

  #array(count: number): unknown[] {
    // Each item has a byte at least: no length is believed.
    if (count > this.#bytes.length - this.#at) throw new RangeError('an array is cut short');
    const items = new Array<unknown>(count < 16 ? count : 0);
    for (let i = 0; i < count; i++) items[i] = this.value();
    return items;
  }

  #map(count: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) map.set(this.value(), this.value());
    return map;
  }

  #record(id: number): object {
    const names = this.#records[id];
    if (names === undefined) throw new RangeError(`no record ${id}`);
    const record: Record<string, unknown> = {};
    for (const name of names) record[name] = this.value();
    return record;
  }

  #extension(length: number): unknown {
    const type = this.#view.getUint8(this.#at++);
    const data = this.#take(length);
    switch (type) {
      case 0x00:
        return undefined;
      case 0x72:
        return this.#defined(data[0] & 0x3f);
      case 0x73:
        return new Set(this.value() as unknown[]);
      case 0x69:
        return this.#identified(viewOf(data).getUint32(0));
      case 0x70:
        return this.#met(viewOf(data).getUint32(0));
      case 0x42:
        return bigintOf(data);
      case 0x74:
        return arrayOf(data);
      case 0xff:
        return dateOf(data);
      default:
        throw new RangeError(`no extension ${type}`);
    }
  }

  #defined(id: number): object {
    const names = this.value() as readonly unknown[];
    if (!names.every((name) => typeof name === 'string' && name !== '__proto__')) throw new RangeError('no names');
    this.#records[id] = names as readonly string[];
    return this.#record(id);
  }

  /** A value in which it stands again itself is refused at its send: only what is complete can be met again. */
  #identified(id: number): unknown {
    if (this.#shared === null) throw new RangeError('an object that stands in two places');
    const target = this.value();
    this.#shared.set(id, target);
    return target;
  }

  #met(id: number): unknown {
    if (this.#shared?.has(id) !== true) throw new RangeError('an object that has not been met');
    return this.#shared.get(id);
  }
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** Two's complement, big endian. */
function bigintOf(data: Uint8Array): bigint {
  if (data.length === 0) throw new RangeError('a bigint without bytes');
  return BigInt.asIntN(data.length * 8, BigInt(`0x${Buffer.from(data).toString('hex')}`));
}

function arrayOf(data: Uint8Array): ArrayBuffer | ArrayBufferView {
  const bytes = Uint8Array.from(data.subarray(1));
  if (data[0] === ARRAY_BUFFER) return bytes.buffer;
  if (data[0] === DATA_VIEW) return new DataView(bytes.buffer);
  const OwnArray = TYPED_ARRAYS[data[0]];
  if (OwnArray === undefined) throw new RangeError(`no array of kind ${data[0]}`);
  return new OwnArray(bytes.buffer);
}

function dateOf(data: Uint8Array): Date {
  const view = viewOf(data);
  if (data.length === 4) return new Date(view.getUint32(0) * 1000);
  if (data.length === 8) {
    const seconds = (view.getUint32(0) & 0x3) * 0x1_0000_0000 + view.getUint32(4);
    return new Date(seconds * 1000 + (view.getUint32(0) >>> 2) / 1_000_000);
  }
  if (data.length === 12) return new Date(Number(view.getBigInt64(4)) * 1000 + view.getUint32(0) / 1_000_000);
  return new Date(Number.NaN);
}
