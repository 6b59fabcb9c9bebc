import { limits, patiently } from '@tidemark/checkpoint/internal';
import { StoreError } from '@tidemark/stores';
import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { storeError } from './support/scripted-store.ts';

/** A start whose store fails with these errors, one after the other, and then for ever with the last. */
class Start {
  readonly clock = new ManualClock();
  readonly ended = new AbortController();
  readonly warnings: string[] = [];
  tries = 0;
  outcome: unknown = null;

  constructor(...errors: readonly (Error | null)[]) {
    const work = (): Promise<string> => {
      const error = errors[Math.min(this.tries++, errors.length - 1)];
      return error === null ? Promise.resolve('done') : Promise.reject(error);
    };
    const warn = (code: string, message: string): void => void this.warnings.push(`${code}: ${message}`);
    patiently(work, { clock: this.clock, warn, ended: this.ended.signal }).then(
      (value) => (this.outcome = value),
      (error: unknown) => (this.outcome = error),
    );
  }
}

describe('a start', () => {
  it.each(['retry', 'lost'] as const)('tries again while its store fails in a way that passes (%s)', async (kind) => {
    const start = new Start(storeError(kind), storeError(kind), storeError(kind), null);
    await start.clock.pass(1_000);
    expect(start).toMatchObject({ tries: 4, outcome: 'done' });
    expect(start.warnings).toEqual([
      `${storeError(kind).code}: as told: ${kind} The start tries again, for 20 s at most.`,
    ]);
  });

  it('gives up with the error of the store when the time is over', async () => {
    const start = new Start(storeError('retry'));
    await start.clock.pass(limits.START_STORE_MS - limits.START_STORE_DELAY_MS_MAX - 100);
    expect(start.outcome).toBeNull();
    await start.clock.pass(limits.START_STORE_DELAY_MS_MAX + 100);
    expect(start.outcome).toMatchObject({ code: 'STORE_BUSY' });
    expect(start.tries).toBeLessThan(20);
    expect(start.clock.timersOpen).toBe(0);
  });

  it.each([
    ['denied', storeError('denied')],
    ['fatal', storeError('fatal')],
    ['a full disk', new StoreError('retry', 'STORE_FULL', 'full')],
    ['no error of a store', new TypeError('oh')],
  ])('does not try again what cannot help: %s', async (_, error) => {
    const start = new Start(error);
    await settled();
    expect(start).toMatchObject({ tries: 1, outcome: error, warnings: [] });
  });

  it('ends in the middle of it', async () => {
    const start = new Start(storeError('retry'));
    await start.clock.pass(500);
    start.ended.abort(new Error('stopped'));
    await settled();
    expect(start.outcome).toMatchObject({ message: 'stopped' });
    expect(start.clock.timersOpen).toBe(0);
  });
});
