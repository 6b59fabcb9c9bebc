import type { Store } from '@tidemark/stores';
import type { CheckpointError } from '../errors.ts';
import { keptName, listMarks, pinName, readPin } from '../pin.ts';

/** Why a checkpoint stays below the boundary. */
export interface PinNote {
  /** A person's pin stays until it is unpinned; what retention keeps, stays as long as its rules say. */
  readonly by: 'person' | 'retention';
  readonly label: string | null;
  /** When it was pinned; ISO 8601, null when the pin cannot be read. */
  readonly createdAt: string | null;
}

export interface PinsView {
  readonly pins: ReadonlyMap<number, PinNote>;
  /** Of pins that cannot be read; they protect all the same. */
  readonly errors: readonly CheckpointError[];
}

/** All pins of a job that count, people's before retention's. */
export async function readPins(store: Store, job: string): Promise<PinsView> {
  const { pinned, kept, ending } = await listMarks(store, job);
  const pins = new Map<number, PinNote>();
  const errors: CheckpointError[] = [];
  const read = async (position: number, by: PinNote['by'], name: string): Promise<void> => {
    const found = await readPin(store, name);
    // Unpinned since it was listed.
    if (found === null) return;
    if ('error' in found) errors.push(found.error);
    const { label, createdAt } = 'pin' in found ? found.pin : { label: null, createdAt: null };
    pins.set(position, { by, label, createdAt });
  };
  for (const position of pinned) await read(position, 'person', pinName(job, position));
  for (const position of kept) {
    if (!ending.has(position) && !pins.has(position)) await read(position, 'retention', keptName(job, position));
  }
  return { pins, errors };
}
