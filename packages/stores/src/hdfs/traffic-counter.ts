import type { StoreTraffic } from '../store.ts';

/** Counts requests, redirected ones once for each hop, and the bytes of bodies. */
export class TrafficCounter {
  readonly #requests = new Map<string, number>();
  #bytesSent = 0;
  #bytesReceived = 0;

  request(operation: string): void {
    this.#requests.set(operation, (this.#requests.get(operation) ?? 0) + 1);
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes;
  }

  received(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  get sum(): StoreTraffic {
    return {
      requests: Object.fromEntries(this.#requests),
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
    };
  }
}
