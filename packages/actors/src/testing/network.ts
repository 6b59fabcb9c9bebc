import type { ChannelItem, Peer } from '../messages.ts';
import type { Port } from '../port.ts';

interface Way {
  readonly items: ChannelItem[];
  receive: (item: ChannelItem) => void;
  closed: boolean;
}

/** FIFO ways between threads of one test, with nothing delivered before the test says so. */
export class Network {
  readonly #ways = new Map<string, Way>();
  readonly #threads: number;
  readonly #held = new Set<string>();

  constructor(threads: number) {
    this.#threads = threads;
    for (const { from, to } of this.#pairs()) {
      this.#ways.set(`${from}→${to}`, { items: [], receive: () => undefined, closed: false });
    }
  }

  /** The ends of `thread`, for its Runtime. */
  peers(thread: number): Peer[] {
    return this.#pairs()
      .filter(({ from }) => from === thread)
      .map(({ to }) => ({ thread: to, port: this.#port(thread, to) }));
  }

  /** Nothing leaves that way for now. */
  hold(from: number, to: number): void {
    this.#held.add(`${from}→${to}`);
  }

  /** All ways are open again. */
  letGo(): void {
    this.#held.clear();
  }

  /** Ways on which something lies. */
  get loaded(): { readonly from: number; readonly to: number }[] {
    return this.#pairs().filter(({ from, to }) => this.lying(from, to).length > 0 && !this.#held.has(`${from}→${to}`));
  }

  lying(from: number, to: number): readonly ChannelItem[] {
    return this.#way(from, to).items;
  }

  deliver(from: number, to: number): void {
    const { items, receive } = this.#way(from, to);
    const item = items.shift();
    if (item !== undefined) receive(item);
  }

  /** Takes the markers off all ways: where a test cuts all threads at one instant, they mark nothing. */
  removeMarkers(): void {
    for (const { items } of this.#ways.values()) {
      const others = items.filter(({ kind }) => kind !== 'marker');
      items.splice(0, items.length, ...others);
    }
  }

  #port(from: number, to: number): Port {
    const out = this.#way(from, to);
    const back = this.#way(to, from);
    return {
      // As a real port: the receiver gets a copy, and what is transferred is no longer the sender's.
      post: (item, transfer) => {
        const copy = structuredClone(item, { transfer: [...transfer] });
        if (!out.closed) out.items.push(copy);
      },
      listen: (receive) => {
        back.receive = receive;
      },
      close: () => {
        for (const way of [out, back]) {
          way.closed = true;
          way.items.length = 0;
        }
      },
    };
  }

  #way(from: number, to: number): Way {
    const way = this.#ways.get(`${from}→${to}`);
    if (way === undefined) throw new RangeError(`there is no way ${from}→${to}`);
    return way;
  }

  #pairs(): { readonly from: number; readonly to: number }[] {
    const all = Array.from({ length: this.#threads }, (_, thread) => thread);
    return all.flatMap((from) => all.filter((to) => to !== from).map((to) => ({ from, to })));
  }
}
