import * as fc from 'fast-check';

/** Names that mean something to JavaScript, to the codec or to promises, and must be ordinary fields. */
const AWKWARD_NAMES = ['constructor', 'toJSON', 'toString', 'then', 'length', 'size', 'hasOwnProperty', '', '0', 'é😀'];

const typedArrays = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);
const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 31), 2 ** 32),
  fc.double().map((number) => number + 0),
  fc.integer(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: false }),
  typedArrays,
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
  fc.uint8Array().map((bytes) => new DataView(bytes.slice().buffer)),
);
export const fieldName = fc
  .oneof(fc.constantFrom(...AWKWARD_NAMES), fc.string({ unit: 'binary' }))
  .filter((name) => name !== '__proto__');

/** Everything that may cross a border. */
export const { value: plain } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fieldName, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
}));
