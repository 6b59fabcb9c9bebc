/** Looks at the definitions of records in encoded values, without reading the values: FORMAT.md, "Values". */

/** Shapes of records for which the library makes code, which takes longer than reading a thousand values. */
const SHAPES_MAX = 500;

/** Begin the definition of a shape; may also stand in a text. The second form is never written. */
const SHAPE = Buffer.of(0xd4, 0x72);
const SHAPE_OF_TWO = Buffer.of(0xd5, 0x72);

/** Fields of an object that is kept as a table. */
export const FIELDS_MANY = 256;

// In the units of weight.ts. Objects of many shapes are tables, and code is made for a shape that comes again.
export const SHAPE_WEIGHT = 30;
export const NAME_WEIGHT = 3;
export const CODE_WEIGHT = 300;
export const CODE_NAME_WEIGHT = 40;

export function hasManyShapes(bytes: Uint8Array): boolean {
  // A shape that code is made for takes a dozen bytes.
  if (bytes.length < SHAPES_MAX * 12) return false;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let shapes = 0;
  for (const mark of [SHAPE, SHAPE_OF_TWO]) {
    for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + 2)) {
      if (++shapes > SHAPES_MAX) return true;
    }
  }
  return false;
}

/**
 * At most so much do shapes weigh, with the code that may be made for them; Infinity where there are very many, or one whose
 * objects take longer than their bytes say.
 */
export function shapesWeightMax(bytes: Uint8Array): number {
  if (hasManyShapes(bytes)) return Number.POSITIVE_INFINITY;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let weight = buffer.includes(SHAPE_OF_TWO) ? Number.POSITIVE_INFINITY : 0;
  for (let at = buffer.indexOf(SHAPE); at >= 0; at = buffer.indexOf(SHAPE, at + 2)) {
    const names = plainNames(buffer, at + 3);
    weight +=
      names === 0 ? Number.POSITIVE_INFINITY : SHAPE_WEIGHT + CODE_WEIGHT + names * (NAME_WEIGHT + CODE_NAME_WEIGHT);
  }
  return weight;
}

/** How many names of fields begin here; 0 for none, for very many, and where one is a number. */
function plainNames(bytes: Uint8Array, from: number): number {
  let at = from;
  let count = bytes[at++] - 0x90;
  if (count === 0xdc - 0x90) {
    count = bytes[at] * 256 + bytes[at + 1];
    at += 2;
  }
  if (!(count > 0 && count < FIELDS_MANY)) return 0;
  for (let i = 0; i < count; i++) {
    const token = bytes[at++];
    let length = token - 0xa0;
    if (token === 0xd9) length = bytes[at++];
    if (!(length >= 0 && (token < 0xc0 || token === 0xd9)) || isDigit(bytes[at])) return 0;
    at += length;
  }
  return at > bytes.length ? 0 : count;
}

/** A field that is named by a number stands in a table of its own. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
