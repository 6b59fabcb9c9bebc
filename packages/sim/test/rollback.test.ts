import { PROGRAMS, runSeed } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

const SEEDS = 25;
const STEPS = 2_000;

/** Nothing but threads that die in living processes, often, at every step of the protocol. */
describe.each(PROGRAMS.map((program) => [program.name, program] as const))(
  'threads that die under %s',
  (_, program) => {
    it(`send it back to its newest checkpoint, exactly: ${SEEDS} seeds`, { timeout: 120_000 }, async () => {
      const pairs = new Map<string, number>();
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { violations, coverage } = await runSeed({
          program,
          seed,
          mode: 'none',
          tune: (config) => ({
            ...config,
            steps: STEPS,
            workersMax: 3,
            swarm: { kinds: new Set(['worker-death']), processRate: 0.05, storeRate: 0, aim: null },
          }),
        });
        expect([seed, violations]).toEqual([seed, []]);
        for (const [pair, count] of coverage.pairs) pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
      expect(pairs.get('rolled back: WORKER_LOST')).toBeGreaterThan(SEEDS);
      for (const step of ['cuts', 'part stored', 'record called', 'record stored', 'looks for owner', 'rolls back']) {
        expect(pairs.get(`worker-death × ${step}`) ?? 0, step).toBeGreaterThan(0);
      }
    });
  },
);
