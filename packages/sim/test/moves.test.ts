import { PROGRAMS, runSeed } from '@tidemark/sim/internal';
import { expect, it } from 'vitest';

const SEEDS = 25;
const STEPS = 1_000;
const errands = PROGRAMS.find(({ name }) => name === 'errands')!;

/** All that becomes of a buffer that the app moves to a service, wherever the service runs. */
const ENDS = ['answered', 'CLOSED', 'ASK_TIMEOUT', 'nobody wants it any more', 'SERVICE_INTERRUPTED'];
const PLACES = ['sim.depot', 'sim.depot-host', 'sim.depot-own'];
const BY_ACTORS = ['any thread', 'the host', 'the own thread'];

it(`moved buffers meet all that can become of them in ${SEEDS} seeds`, { timeout: 120_000 }, async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations, coverage } = await runSeed({
      program: errands,
      seed,
      mode: 'none',
      tune: (config) => ({
        ...config,
        steps: STEPS,
        workersMax: 3,
        swarm: { kinds: new Set(['worker-death', 'crash']), processRate: 0.02, storeRate: 0, aim: null },
      }),
    });
    expect([seed, violations]).toEqual([seed, []]);
    for (const [what, count] of coverage.pairs) seen.set(what, (seen.get(what) ?? 0) + count);
  }
  const expected = [
    ...PLACES.flatMap((place) => ENDS.map((end) => `moved to ${place}: ${end}`)),
    ...PLACES.map((place) => `moved back from ${place}`),
    ...BY_ACTORS.flatMap((place) => ['asked', 'asked again'].map((how) => `moved by an actor to ${place}: ${how}`)),
    'a copied parcel comes once more',
    'a request was answered again with bytes',
  ];
  expect(expected.filter((what) => !seen.has(what))).toEqual([]);
});
