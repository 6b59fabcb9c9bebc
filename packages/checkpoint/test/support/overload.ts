import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { run } from './child.ts';

const program = fileURLToPath(new URL('../fixtures/overload-run.mjs', import.meta.url));

/** The producer is faster than its consumers so many times at least. */
const FASTER = 10;

/** MB above what the process takes under the same load when it has gone on for a while. */
const MB_ABOVE_STEADY = 64;

interface Seen {
  /** Messages a second: those that the host sends where nothing holds it up, and those that are consumed. */
  readonly offered: number;
  readonly consumed: number;
  readonly sent: number;
  readonly arrived: number;
  readonly checkpoints: number;
  readonly failed: readonly string[];
  readonly steadyMb: number;
  readonly mostMb: number;
}

/** What becomes of a system whose producer never waits by itself. */
export function overload(options: {
  readonly warmS: number;
  readonly seconds: number;
  readonly sizes: readonly number[];
}): void {
  const { warmS, seconds, sizes } = options;
  const shapes = ['pipeline', 'shuffle', 'cycle'] as const;
  describe(`a producer ten times faster than its consumers, for ${seconds} s`, () => {
    test.each(shapes.flatMap((shape) => sizes.map((bytes) => [shape, bytes] as const)))(
      'in a %s of messages of %d bytes: memory is bounded, nothing stands still or is lost, checkpoints go on',
      async (shape, bytes) => {
        const store = await mkdtemp(join(tmpdir(), 'tidemark-overload-'));
        const args = [shape, warmS, seconds, store, bytes].map(String);
        // It ends by itself some time after the load, if it ends at all.
        const { status, stderr, stdout } = await run([program, ...args], {}, (warmS + seconds) * 1_000 + 60_000);
        await rm(store, { recursive: true, force: true });
        expect([status, stderr]).toEqual([0, '']);
        const seen = JSON.parse(stdout) as Seen;
        process.stdout.write(`${shape} of ${bytes} bytes: ${JSON.stringify(seen)}\n`);
        expect(seen.offered).toBeGreaterThan(FASTER * seen.consumed);
        expect(seen.arrived).toBe(seen.sent);
        expect(seen.failed).toEqual([]);
        expect(seen.checkpoints).toBeGreaterThanOrEqual(seconds);
        expect(seen.mostMb - seen.steadyMb).toBeLessThanOrEqual(MB_ABOVE_STEADY);
      },
    );
  });
}
