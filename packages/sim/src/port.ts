import type { ChannelItem, Port } from '@tidemark/actors/internal';
import type { Lane } from './lane.ts';
import type { SimThread } from './thread.ts';

/** One direction between two threads. What is posted arrives in order, at a time that the scheduler chooses. */
export class Way<T> {
  readonly #lane: Lane;
  #receive: ((item: T) => void) | null = null;
  #closed = false;

  /** @param at the thread that receives */
  constructor(at: SimThread, label: string) {
    this.#lane = at.lane(label);
    this.#lane.hold('held');
  }

  /** The item is the receiver's from now on. */
  post(item: T): void {
    if (this.#closed) return;
    this.#lane.push(() => {
      if (!this.#closed) this.#receive?.(item);
    });
  }

  listen(receive: (item: T) => void): void {
    this.#receive = receive;
    this.#lane.hold('free');
  }

  /** What has arrived and was not heard is never heard. */
  close(): void {
    this.#closed = true;
  }

  /** Something that happens behind all that was posted so far. */
  behind(run: () => void): void {
    this.#lane.push(run);
  }
}

/** How a channel between two threads carries items; a planted bug may do it wrongly. */
export type Carry = (item: ChannelItem, post: (item: ChannelItem) => void, way: object) => void;

/** One end of a channel. */
export class SimPort implements Port {
  readonly #out: Way<ChannelItem>;
  readonly #in: Way<ChannelItem>;
  readonly #carry: Carry | null;
  readonly #marker: (() => void) | undefined;
  #closed = false;

  constructor(out: Way<ChannelItem>, into: Way<ChannelItem>, carry: Carry | null, marker: (() => void) | undefined) {
    this.#marker = marker;
    this.#out = out;
    this.#in = into;
    this.#carry = carry;
  }

  post(item: ChannelItem, transfer: readonly ArrayBuffer[]): void {
    if (this.#closed) return;
    if (item.kind === 'marker') this.#marker?.();
    // A clone takes its microseconds; items without bytes are flat.
    const own = item.kind === 'frame' ? structuredClone(item, { transfer: [...transfer] }) : { ...item };
    if (this.#carry === null) this.#out.post(own);
    else this.#carry(own, (each) => this.#out.post(each), this.#out);
  }

  listen(receive: (item: ChannelItem) => void): void {
    this.#in.listen(receive);
  }

  close(): void {
    this.#closed = true;
    this.#in.close();
  }
}
