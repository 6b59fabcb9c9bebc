import { setImmediate } from 'node:timers/promises';
import { Refusal, service } from 'tidemark';

/** About a second of work. */
const LIMIT_MAX = 20_000_000;

/** Milliseconds of work between two looks at what else there is to do in this thread. */
const STEP_MS = 5;

/** Work that would stop a server that did it in its own thread. Each call runs on the worker that has the fewest. */
export const Primes = service('primes', {
  /** How many primes there are below `limit`: the sieve of Eratosthenes. */
  async below({ signal }, limit: number) {
    if (!Number.isInteger(limit) || limit < 0 || limit > LIMIT_MAX) {
      throw new Refusal('LIMIT_INVALID', `expected a whole number up to ${LIMIT_MAX}`);
    }
    const composite = new Uint8Array(limit);
    let count = 0;
    let pauseAt = performance.now() + STEP_MS;
    for (let n = 2; n < limit; n++) {
      if (composite[n] === 1) continue;
      count++;
      for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
      if (performance.now() < pauseAt) continue;
      // Actors of this thread have their turn, and who waits no longer is heard.
      await setImmediate();
      signal.throwIfAborted();
      pauseAt = performance.now() + STEP_MS;
    }
    return count;
  },
});
