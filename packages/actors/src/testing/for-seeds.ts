import { TestKitError } from './errors.ts';

export interface SeedsOptions {
  /** How many seeds, 100 when not given. */
  readonly seeds?: number;
  /** The first of them, 1 when not given. */
  readonly from?: number;
}

/**
 * Calls `run` once for each seed. The first that fails ends it, with an error that names the seed and how to run it alone.
 *
 * @throws TestKitError `TEST_SEED_FAILED` with the failure as its cause, `TEST_OPTIONS`
 * @example
 * await forSeeds(100, async (seed) => {
 *   const system = testSystem({ seed });
 *   …
 * });
 */
export async function forSeeds(options: number | SeedsOptions, run: (seed: number) => unknown): Promise<void> {
  const { seeds = 100, from = 1 } = typeof options === 'number' ? { seeds: options } : options;
  assertCount('seeds', seeds, 1);
  assertCount('from', from, 0);
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      await run(seed);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new TestKitError(
        'TEST_SEED_FAILED',
        `seed ${seed} fails: ${message}\nagain: forSeeds({ from: ${seed}, seeds: 1 }, …)`,
        { cause: error },
      );
    }
  }
}

/** @throws TestKitError `TEST_OPTIONS` */
export function assertCount(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new TestKitError('TEST_OPTIONS', `${what}: ${String(value)}; expected a whole number from ${least}`);
}
