import type { TestContext } from 'vitest';
import { Chance } from '@tidemark/actors/testing/internal';

/** Set by `npm run prove`: all of it, not a share. */
export const whole = process.env['TIDEMARK_PROVE'] === '1';

/** Changed by hand, to try others; every figure that a test prints names it. */
export const SEED = Number(process.env['TIDEMARK_FAULTS_SEED'] ?? '4');

/** Processes wait for their turn on a machine that has much else to do. */
export const TIMEOUT_MS = (whole ? 120 : 5) * 60_000;

const SHARE = 20;

/** All of them when proving, else a twentieth by the seed, five at least. */
export function share<T>(all: readonly T[], leastCount = 5): readonly T[] {
  if (whole) return all;
  const chance = new Chance(SEED);
  const left = [...all];
  const picked: T[] = [];
  const count = Math.max(Math.ceil(all.length / SHARE), leastCount);
  while (picked.length < count && left.length > 0) picked.push(...left.splice(chance.below(left.length), 1));
  return picked;
}

/** So many when proving, else a twentieth. */
export function shareOf(count: number): number {
  return whole ? count : Math.ceil(count / SHARE);
}

/** Skips a test that the machine cannot run, and says why. */
export function skipFor(context: TestContext, reason: string | null): void {
  if (reason !== null) context.skip(reason);
}
