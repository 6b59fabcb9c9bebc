import type { FileBytes, PackedFrame, UnitData } from '@tidemark/actors/internal';
import { LOAD_BYTES } from './limits.ts';
import type { Load } from './recovery.ts';

/** What one `load` message to a worker carries. */
export interface LoadPiece {
  readonly files: readonly FileBytes[];
  readonly units: readonly UnitData[];
  readonly frames: readonly PackedFrame[];
}

/** Cuts a load into messages of bounded size; at least one. */
export function inPieces(load: Load): LoadPiece[] {
  const pieces: { files: FileBytes[]; units: UnitData[]; frames: PackedFrame[] }[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const room = (size: number): (typeof pieces)[number] => {
    if (bytes > LOAD_BYTES) {
      pieces.push({ files: [], units: [], frames: [] });
      bytes = 0;
    }
    bytes += size;
    return pieces.at(-1)!;
  };
  for (const file of load.files) {
    if (file instanceof Uint8Array) room(file.length).files.push(own(file));
    else room(file.reduce((sum, { length }) => sum + length, 0)).files.push(file.map(own));
  }
  for (const unit of load.units) {
    const { type, key, table, tableKey, value } = unit;
    room(value.length).units.push({ type, key, table, tableKey, value: own(value) });
  }
  for (const frame of load.frames) room(frame.body.length).frames.push({ ...frame, body: own(frame.body) });
  if (pieces.length === 0) pieces.push({ files: [], units: [], frames: [] });
  return pieces;
}

/** Bytes of their own: a view would carry all that it is a part of through the port. What is shared goes as it is, and nothing is copied. */
function own(bytes: Uint8Array): Uint8Array {
  const isWhole = bytes.length === bytes.buffer.byteLength || bytes.buffer instanceof SharedArrayBuffer;
  return isWhole ? bytes : new Uint8Array(bytes);
}
