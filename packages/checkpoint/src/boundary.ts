import type { Store } from '@tidemark/stores';
import type { KeepPolicy } from './keep.ts';
import { encodeSealed, decodeSealed } from './sealed.ts';

/** What a boundary says: records below `position` are no longer needed, and may be gone. */
export interface Boundary {
  /** Of a checkpoint record, never newer than the one that a restore would choose. */
  readonly position: number;
  /** sha256 of that record's bytes. */
  readonly hash: string;
  readonly term: number;
  readonly cut: number;
  /** Checkpoints below it that retention keeps. A mark of its own that no boundary confirms does not count. */
  readonly kept?: readonly number[];
  /** What the owner that put it keeps; boundaries of copies, and older ones, do not say. */
  readonly keep?: KeepPolicy;
  /** URL of the store that this log is copied from; only where a copier has put the boundary. */
  readonly copyOf?: string;
}

const NAME = /\/gc\/(\d{20})$/;

export function boundaryName(job: string, position: number): string {
  return `${job}/gc/${String(position).padStart(20, '0')}`;
}

/** Positions of all boundaries, ascending; the highest one counts. A failed listing is an error, never "none". */
export async function boundaryPositions(store: Store, job: string): Promise<readonly number[]> {
  const names = await store.list(`${job}/gc/`);
  return names.flatMap((name) => {
    const found = NAME.exec(name);
    return found === null ? [] : [Number(found[1])];
  });
}

export function encodeBoundary(boundary: Boundary): Uint8Array {
  return encodeSealed(boundary);
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` */
export function decodeBoundary(bytes: Uint8Array, name: string): Boundary {
  return decodeSealed(bytes, name) as Boundary;
}
