import type { PackedFrame, UnitData } from '@tidemark/actors/internal';
import { LOAD_BYTES } from './limits.ts';
import type { Load } from './recovery.ts';

/** What one `load` message to a worker carries. */
export interface LoadPiece {
  readonly units: readonly UnitData[];
  readonly frames: readonly PackedFrame[];
}

/** Cuts a load into messages of bounded size; at least one. */
export function inPieces(load: Load): LoadPiece[] {
  const pieces: { units: UnitData[]; frames: PackedFrame[] }[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const room = (size: number): { units: UnitData[]; frames: PackedFrame[] } => {
    if (bytes > LOAD_BYTES) {
      pieces.push({ units: [], frames: [] });
      bytes = 0;
    }
    bytes += size;
    return pieces.at(-1)!;
  };
  for (const unit of load.units) {
    const copy = own(unit);
    room(copy.value.length).units.push(copy);
  }
  for (const frame of load.frames) room(frame.body.length).frames.push({ ...frame, body: frame.body.slice() });
  if (pieces.length === 0) pieces.push({ units: [], frames: [] });
  return pieces;
}

/** A unit's value as bytes of its own: a view would carry the whole part through the port. */
function own(unit: UnitData): UnitData {
  const { type, key, table, tableKey, value } = unit;
  return { type, key, table, tableKey, value: value.slice() };
}
