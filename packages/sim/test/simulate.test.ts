import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { actor, table } from '@tidemark/actors';
import { simulate, type SimulatedProgram, SimulationError } from '@tidemark/sim';
import { describe, expect, it } from 'vitest';

const Shelf = actor('test.shelf', {
  state: () => ({ puts: 0, goods: table<string, { count: number }>() }),
  on: {
    put(ctx, what: string) {
      ctx.state.puts++;
      ctx.state.goods.update(
        what,
        (row) => void row.count++,
        () => ({ count: 0 }),
      );
    },
    count: (ctx) => ctx.state.puts,
  },
});

const Turnstile = actor('test.turnstile', {
  state: () => ({ next: 0, gaps: 0 }),
  on: {
    enter(ctx, n: number) {
      const { state } = ctx;
      // Every seed ends with a restart: that one is forgiven.
      if (n !== state.next && ++state.gaps > 1) throw new Error(`visitor ${n} came, and ${state.next} is next`);
      state.next = n + 1;
    },
  },
});

const fine: SimulatedProgram = {
  drive: (app, n) => app.tell(app.ref(Shelf, `s${n % 3}`)).put(app.random() < 0.5 ? 'tea' : 'rice'),
  invariant(cut) {
    for (const [key, { puts, goods }] of cut.states(Shelf)) {
      let counted = 0;
      for (const { count } of goods.values()) counted += count;
      assert.equal(counted, puts, key);
    }
  },
};

/** Loses what a crash takes, and cannot bear it. */
const forgetful: SimulatedProgram = {
  drive: (app, n) => app.tell(app.ref(Turnstile, 'only')).enter(n),
  invariant: () => undefined,
};

async function failureOf(run: Promise<unknown>): Promise<SimulationError> {
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SimulationError) return error;
  throw new Error('no SimulationError', { cause: error });
}

describe('simulate', () => {
  it('tells what the seeds of a right program went through', async () => {
    const { seeds, checkpoints, restores, faults } = await simulate(fine, { seeds: 12 });
    expect(seeds).toBe(12);
    for (const count of [checkpoints, restores, faults]) expect(count).toBeGreaterThan(10);
  });

  it('names the seed, the faults that it needs, and the line that runs it again', async () => {
    const failure = await failureOf(simulate(forgetful, { seeds: 30 }));
    expect(failure.code).toBe('SIMULATION_FAILED');
    expect(failure.message).toContain(`seed ${failure.seed} fails: `);
    expect(failure.message).toContain(' is next');
    expect(failure.only.length).toBeGreaterThan(0);
    expect(failure.message).toMatch(
      /again: await simulate\(program, \{ seed: \d+, only: \[[\d, ]+\], trace: console.log \}\);$/,
    );

    const lines: string[] = [];
    const { seed, only } = failure;
    const again = await failureOf(simulate(forgetful, { seed: seed!, only, trace: (line) => void lines.push(line) }));
    expect(again.message.split('\n')[0]).toBe(failure.message.split('\n')[0]);
    expect(lines.length).toBeGreaterThan(10);
    // Without the faults nothing happens.
    await simulate(forgetful, { seed: seed!, only: [] });
  });

  it('finds an invariant that no checkpoint keeps', async () => {
    const failure = await failureOf(
      simulate({ ...fine, invariant: (cut) => assert.equal(cut.states(Shelf).size, 0) }, { seeds: 3 }),
    );
    expect(failure.code).toBe('SIMULATION_FAILED');
    expect(failure.message).toContain('It needs no fault');
  });

  it('tells a throw of drive from the end of the system that it sends to', async () => {
    const drive: SimulatedProgram['drive'] = async (app, n) => {
      await app.ask(app.ref(Shelf, 's1')).count();
      if (n === 20) throw new TypeError('of my own');
    };
    const failure = await failureOf(simulate({ ...fine, drive }, { seeds: 3, faults: 'crashes' }));
    expect(failure.message).toContain('drive(app, 20) failed: TypeError: of my own');
  });

  it('says so when a seed does not do the same again', async () => {
    let calls = 0;
    const failure = await failureOf(
      simulate({
        ...fine,
        invariant() {
          if (++calls === 9) throw new Error('only once');
        },
      }),
    );
    expect(failure.code).toBe('SIMULATION_NOT_REPEATABLE');
    expect(failure.message).toContain('only once');
  });

  it.each([
    [{ seeds: 0 }, 'seeds: 0; expected a whole number'],
    [{ seed: 1, seeds: 2 }, 'leave out seeds and from'],
    [{ only: [1] }, 'give seed, too'],
    [{ faults: 'rain' as 'all' }, "faults: 'rain'; expected one of none, crashes, store, all, damage"],
  ])('refuses %j', async (options, message) => {
    const failure = await failureOf(simulate(fine, options));
    expect(failure.code).toBe('SIMULATION_OPTIONS');
    expect(failure.message).toContain(message);
  });

  it('runs the example of the documentation, word for word', async () => {
    const example = await readFile(new URL('bank.example.ts', import.meta.url), 'utf8');
    const docs = await readFile(new URL('../../../docs/simulation.md', import.meta.url), 'utf8');
    expect(docs).toContain(example.trim());
    await import('./bank.example.ts');
  });
});
