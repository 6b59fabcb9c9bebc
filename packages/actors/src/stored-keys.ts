/**
 * Keys of rows as the codec has written them: an array of texts and numbers, looked at without making anything of them.
 * Format: MessagePack, https://github.com/msgpack/msgpack/blob/master/spec.md
 */

const number64 = new DataView(new ArrayBuffer(8));

/** Equal keys have equal hashes; for a table in memory, never stored. FNV-1a over the characters of a text. */
export function hashOfKey(key: string | number): number {
  return typeof key === 'string' ? hashOfText(key) : hashOfNumber(key);
}

/**
 * Calls `each` with the hash of every key of `[keys, values]`.
 *
 * @param bytes as `encodeValue([keys, values])` makes them
 * @returns where the keys end; null when these are no such bytes, or a key has a form that is not known here
 */
export function hashKeys(bytes: Uint8Array, each: (hash: number) => void): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== ARRAY_OF_TWO) return null;
  const head = bytes[1];
  let at: number;
  let count: number;
  if (head >= 0x90 && head <= 0x9f) [count, at] = [head & 0x0f, 2];
  else if (head === 0xdc) [count, at] = [view.getUint16(2), 4];
  else if (head === 0xdd) [count, at] = [view.getUint32(2), 6];
  else return null;
  for (let i = 0; i < count; i++) {
    const kind = bytes[at++];
    if (kind <= 0x7f) each(hashOfNumber(kind));
    else if (kind >= 0xe0) each(hashOfNumber(kind - 0x100));
    else {
      const length = textLength(kind, view, at);
      if (length !== null) {
        at += lengthBytes(kind);
        each(hashOfBytes(bytes, at, at + length));
        at += length;
      } else {
        const size = NUMBER_BYTES[kind];
        if (size === undefined) return null;
        each(hashOfNumber(numberAt(kind, view, at)));
        at += size;
      }
    }
  }
  return at;
}

const ARRAY_OF_TWO = 0x92;

/** By the kind of number. */
const NUMBER_BYTES: Readonly<Record<number, number>> = {
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
};

function numberAt(kind: number, view: DataView, at: number): number {
  switch (kind) {
    case 0xca:
      return view.getFloat32(at);
    case 0xcb:
      return view.getFloat64(at);
    case 0xcc:
      return view.getUint8(at);
    case 0xcd:
      return view.getUint16(at);
    case 0xce:
      return view.getUint32(at);
    case 0xd0:
      return view.getInt8(at);
    case 0xd1:
      return view.getInt16(at);
    default:
      return view.getInt32(at);
  }
}

/** Null when it is no text. */
function textLength(kind: number, view: DataView, at: number): number | null {
  if (kind >= 0xa0 && kind <= 0xbf) return kind & 0x1f;
  if (kind === 0xd9) return view.getUint8(at);
  if (kind === 0xda) return view.getUint16(at);
  return kind === 0xdb ? view.getUint32(at) : null;
}

function lengthBytes(kind: number): number {
  return kind <= 0xbf ? 0 : 1 << (kind - 0xd9);
}

function hashOfBytes(bytes: Uint8Array, from: number, until: number): number {
  let hash = FIRST;
  for (let i = from; i < until; i++) {
    const byte = bytes[i];
    if (byte > 0x7f) return hashOfText(Buffer.from(bytes.slice(from, until)).toString('utf8'));
    hash = Math.imul(hash ^ byte, PRIME);
  }
  return mixed(hash);
}

const FIRST = 0x811c9dc5;
const PRIME = 0x01000193;

function hashOfText(text: string): number {
  let hash = FIRST;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return mixed(hash);
}

function hashOfNumber(key: number): number {
  const whole = key | 0;
  if (whole === key) return mixed(Math.imul(whole, 0x9e3779b1));
  number64.setFloat64(0, key);
  return mixed(Math.imul(number64.getUint32(0), 0x9e3779b1) ^ number64.getUint32(4));
}

/** Spreads what the upper bits know: tables look at the lower ones. */
function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (half ^ (half >>> 13)) >>> 0;
}
