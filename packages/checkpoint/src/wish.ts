import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { listMarks, type Pin, pinName, readPin } from './pin.ts';
import { decodeSealed, encodeSealed } from './sealed.ts';

/** Somebody outside of the owner's process wants a savepoint: an object of the store, until the owner has made it. */
export interface Wish {
  readonly id: string;
  readonly label: string | null;
}

const NAME = /\/wish\/([0-9a-f]{8,64})$/;

export function wishName(job: string, id: string): string {
  return `${job}/wish/${id}`;
}

export function encodeWish(wish: Wish): Uint8Array {
  return encodeSealed(wish);
}

/** All wishes that lie there; a damaged one is as good as none. */
export async function listWishes(store: Store, job: string): Promise<readonly Wish[]> {
  const wishes: Wish[] = [];
  for (const name of await store.list(`${job}/wish/`)) {
    const id = NAME.exec(name)?.[1];
    if (id === undefined) continue;
    try {
      const { label } = decodeSealed(await store.get(name), name) as Partial<Wish>;
      wishes.push({ id, label: typeof label === 'string' ? label : null });
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }
  return wishes;
}

/** The pin that fulfils a wish; null as long as there is none. */
export async function pinOfWish(store: Store, job: string, id: string): Promise<Pin | null> {
  const { pinned } = await listMarks(store, job);
  for (const position of [...pinned].sort((a, b) => b - a)) {
    const found = await readPin(store, pinName(job, position));
    if (found !== null && 'pin' in found && found.pin.wish === id) return found.pin;
  }
  return null;
}
