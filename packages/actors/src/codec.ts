import { Packr, RESET_BUFFER_MODE } from 'msgpackr';
import { ActorError } from './errors.ts';
import { SLAB_BYTES_KEPT } from './limits.ts';
import { readPlain } from './plain-reader.ts';
import { hasManyShapes } from './shapes.ts';

/**
 * Encoding of values. Two settings of one library, and no third:
 * - `messages`: keeps Map, Set, Date, bigint, typed arrays; for states and for what actors send.
 * - `rows`: records of one shape, for batches of flat rows: half the bytes and a quarter of the time.
 *
 * Only `messages` can have one object in two places. Both are self-contained: no structure is shared between two calls, so any frame can be read alone. `pack` of the
 * library answers a view into a shared slab; everything here answers bytes of its own. A field named `toJSON` is data.
 */
const messages = new Packr({ structuredClone: true, moreTypes: true, copyBuffers: true, useToJSON: false });
const rows = new Packr({
  structuredClone: false,
  useRecords: true,
  moreTypes: true,
  copyBuffers: true,
  useToJSON: false,
});

export function encodeValue(value: unknown): Uint8Array {
  return own(pack(messages, value));
}

/** The bytes of a value in the library's slab: valid only until the next call. For callers that copy at once. */
export function encodeValueInPlace(value: unknown): Uint8Array {
  return pack(messages, value);
}

/** @throws ActorError `BYTES_UNREADABLE` */
export function decodeValue(bytes: Uint8Array): unknown {
  return decode(messages, bytes);
}

export function encodeRows(value: unknown): Uint8Array {
  return own(pack(rows, value));
}

/** @throws ActorError `BYTES_UNREADABLE` */
export function decodeRows(bytes: Uint8Array): unknown {
  return decode(rows, bytes);
}

/** What cannot be read, whoever has written it. */
export function unreadable(what: string, cause: unknown): ActorError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ActorError(
    'BYTES_UNREADABLE',
    `${what} cannot be read: ${why}. It was written by a newer version, or its bytes were changed`,
    { cause },
  );
}

/** Reads one value, in a time that grows with the bytes only. */
function decode(packr: Packr, bytes: Uint8Array): unknown {
  // Errors are values for the library, and a stack for each takes twenty times as long.
  const stackTraceLimit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    if (hasManyShapes(bytes)) return readPlain(bytes, packr === messages ? 'shared' : 'single');
    let value: unknown;
    let length = 0;
    // Where bytes are left over, `unpack` would show all that it has read in its error.
    packr.unpackMultiple(bytes, (first: unknown, _from, end = 0) => {
      value = first;
      length = end;
      return false;
    });
    if (length !== bytes.length) throw new RangeError(`it ends at byte ${length}`);
    return value;
  } catch (cause) {
    Error.stackTraceLimit = stackTraceLimit;
    throw unreadable(`a value of ${bytes.length} bytes`, cause);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * The library's slab is written from the same place each time. Left alone it goes on behind what it has written, and takes another
 * slab of some megabytes when that one is full: several in a second, for as long as a collection does not come.
 */
function pack(packr: Packr, value: unknown): Uint8Array {
  const view = packr.pack(value, RESET_BUFFER_MODE);
  // One large value is no reason to keep four times its size for good.
  if (view.buffer.byteLength > SLAB_BYTES_KEPT) packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));
  return view;
}

/** What the library begins with. */
const SLAB_BYTES = 8_192;

function own(view: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(view.length);
  bytes.set(view);
  return bytes;
}
