import type { Clock } from '@tidemark/actors/internal';
import type { Store, StoreTraffic } from '@tidemark/stores';

/** Requests and bytes, and the time in which they were. */
export interface TimedTraffic extends StoreTraffic {
  readonly ms: number;
}

/** What was asked of a store from one look at its counts to the next. */
export class TrafficMeter {
  readonly #store: Store;
  readonly #clock: Clock;
  #before: StoreTraffic;
  #since: number;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#before = store.traffic?.() ?? NOTHING;
    this.#since = clock.monotonic();
  }

  /** Since it was taken last; null where the store does not count. */
  take(): TimedTraffic | null {
    const now = this.#store.traffic?.() ?? null;
    if (now === null) return null;
    const at = this.#clock.monotonic();
    const taken = { ms: Math.round(at - this.#since), ...difference(now, this.#before) };
    this.#before = now;
    this.#since = at;
    return taken;
  }
}

const NOTHING: StoreTraffic = { requests: {}, bytesSent: 0, bytesReceived: 0 };

function difference(now: StoreTraffic, before: StoreTraffic): StoreTraffic {
  const requests = Object.entries(now.requests)
    .map(([name, count]) => [name, count - (before.requests[name] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    requests: Object.fromEntries(requests),
    bytesSent: now.bytesSent - before.bytesSent,
    bytesReceived: now.bytesReceived - before.bytesReceived,
  };
}
