import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';

/** What a boundary says: records below `position` are no longer needed, and may be gone. */
export interface Boundary {
  /** Of a checkpoint record, never newer than the one that a restore would choose. */
  readonly position: number;
  /** sha256 of that record's bytes. */
  readonly hash: string;
  readonly term: number;
  readonly cut: number;
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

/** JSON, a line feed, the sha256 of what stands before it, a line feed: as records end. */
export function encodeBoundary(boundary: Boundary): Uint8Array {
  const text = JSON.stringify(boundary);
  return new TextEncoder().encode(`${text}\n${sha256(new TextEncoder().encode(text))}\n`);
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` */
export function decodeBoundary(bytes: Uint8Array, name: string): Boundary {
  const [text = '', hash] = new TextDecoder().decode(bytes).split('\n');
  if (sha256(new TextEncoder().encode(text)) !== hash) {
    throw new CheckpointError('CHECKPOINT_DAMAGED', `${name}: the sha256 at its end does not fit`);
  }
  return JSON.parse(text) as Boundary;
}
