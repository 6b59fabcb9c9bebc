import { startEngine } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { engineOptions } from './support/engine-options.ts';

const OPTIONS = engineOptions({ location: 'memory:without-cuts', job: 'job', workers: 1, schedule: '10ms' });

describe('work without cuts', () => {
  it('lets no checkpoint begin while it goes on: not by schedule, and one that is asked for waits', async () => {
    const seen: string[] = [];
    const engine = await startEngine({
      ...OPTIONS,
      observe: (event) => {
        if (event.kind === 'checkpoint') seen.push('checkpoint');
      },
    });
    engine.go();
    await engine.checkpoint();
    let asked: Promise<unknown> = Promise.resolve();
    await engine.withoutCuts(async () => {
      seen.length = 0;
      asked = engine.checkpoint();
      for (let looks = 0; looks < 50; looks++) await engine.look();
      seen.push('work is done');
    });
    await asked;
    expect(seen).toEqual(['work is done', 'checkpoint']);
    await engine.stop(false);
  });

  it('waits for others of its kind', async () => {
    const engine = await startEngine(OPTIONS);
    engine.go();
    const seen: string[] = [];
    const work = (name: string): Promise<void> =>
      engine.withoutCuts(async () => {
        seen.push(`${name} begins`);
        await engine.look();
        seen.push(`${name} ends`);
      });
    await Promise.all([work('first'), work('second')]);
    expect(seen).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
    await engine.stop(true);
  });
});
