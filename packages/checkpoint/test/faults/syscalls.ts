import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterwards } from './afterwards.ts';
import { type Phase, PHASES, Stores } from './phases.ts';
import { SEED, share, skipFor, TIMEOUT_MS, whole } from './share.ts';
import { numbersNear, pointsOf, tracedRun } from './traced-run.ts';
import { type Injection, reasonNotToTrace } from './tracer.ts';

/** A real process, killed before each call that it makes to the files of its store. Proving runs all of them. */
export function crashAtEveryCall(): void {
  describe('a process killed at any system call to its store', () => {
    let stores: Stores;
    beforeAll(() => void (stores = new Stores()));
    afterAll(() => stores.remove());

    it.for(PHASES)(
      'of a $name: a new start has all that was acknowledged, once, and the log is whole',
      { timeout: TIMEOUT_MS },
      async (phase, context) => {
        skipFor(context, reasonNotToTrace());
        const all = await pointsOf(stores, phase);
        const chosen = share(all);
        const left = new Set(chosen.map(({ id }) => id));
        let runs = 0;
        for (const { id, call, nth: usual } of chosen) {
          for (const nth of numbersNear(usual)) {
            // Two calls may have changed places: then another run has met this one.
            if (!left.has(id)) break;
            runs++;
            left.delete((await killedAt(stores, phase, { call, nth, what: 'signal=KILL' })) ?? '');
          }
        }
        const of = `${chosen.length - left.size} of ${all.length} calls${whole ? '' : `, seed ${SEED}`}`;
        console.log(`crash at every call, ${phase.name}: ${of}, ${runs} processes, none lost or doubled anything`);
        expect([...left], 'calls at which no run was killed').toEqual([]);
      },
    );

    it('is told from one whose system lies: a record that was never given its name', async (context) => {
      skipFor(context, reasonNotToTrace());
      const phase = PHASES.find(({ name }) => name === 'checkpoint')!;
      const last = (await pointsOf(stores, phase)).findLast(({ call }) => call.startsWith('link'));
      const lie = { call: last?.call ?? '', nth: last?.nth ?? 0, what: 'retval=0' };
      await expect(killedAt(stores, phase, lie)).rejects.toMatchObject({
        cause: { message: expect.stringContaining('acknowledged') },
      });
    });
  });
}

/** The call at which the process was killed; null when it was none of the store's, or it never came. */
async function killedAt(stores: Stores, phase: Phase, injection: Injection): Promise<string | null> {
  const run = await tracedRun(stores, phase, injection);
  await run.child.kill();
  await afterwards(run.folder, run.acked).catch((error: unknown) => {
    throw new Error(`killed at ${run.last?.id} (${injection.call}, ${injection.nth})`, { cause: error });
  });
  stores.remove(run.folder);
  return run.killed ? (run.last?.id ?? null) : null;
}
