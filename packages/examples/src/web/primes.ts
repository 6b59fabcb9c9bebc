import { actor, Refusal } from 'tidemark';

/** Numbers at most: a second of work, so that one request cannot keep a thread for ever. */
const LIMIT_MAX = 20_000_000;

/** Work that would stop a server that did it on its own thread. It has no state: its key only says which thread does it. */
export const Primes = actor('primes', {
  state: () => ({}),
  on: {
    /** How many primes there are below `limit`. */
    below(_ctx, limit: number) {
      if (!Number.isInteger(limit) || limit < 0 || limit > LIMIT_MAX) {
        throw new Refusal('LIMIT_INVALID', `expected a whole number up to ${LIMIT_MAX}`);
      }
      return countPrimes(limit);
    },
  },
});

/** The sieve of Eratosthenes. */
function countPrimes(limit: number): number {
  const composite = new Uint8Array(limit);
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n] === 1) continue;
    count++;
    for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return count;
}
