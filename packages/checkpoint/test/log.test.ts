import { Log, logName, type RecordBody } from '@tidemark/checkpoint/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { type Fault, FragileStore } from './support/fragile-store.ts';

const TERM: RecordBody = { kind: 'term', from: 'fresh', host: 'here', pid: 1 };

let store: FragileStore;
let clock: ManualClock;
let log: Log;
beforeEach(async () => {
  store = new FragileStore();
  clock = new ManualClock();
  log = await Log.open(store, 'main', clock);
});

/** What became of a put, while the clock goes on. */
async function put(of: Log = log, forMs = 120_000): Promise<number | { readonly code: string; readonly afterMs: number }> {
  const began = clock.monotonic();
  let outcome: number | { code: string; afterMs: number } | undefined;
  of.put(TERM, 1).then(
    (position) => (outcome = position),
    (error: { code?: string; name: string }) => (outcome = { code: error.code ?? error.name, afterMs: clock.monotonic() - began }),
  );
  for (let left = forMs; left > 0 && outcome === undefined; left -= 100) await clock.pass(100);
  if (outcome === undefined) throw new Error('the put has no outcome');
  return outcome;
}

async function recordAt(position: number) {
  const found = await log.read(position);
  if (!found.ok) throw found.error;
  return found.record;
}

describe('C11: a put', () => {
  test('takes the next position, never skips, and names the predecessor by its hash', async () => {
    expect([await put(), await put(), await put()]).toEqual([1, 2, 3]);
    expect(log.last).toBe(3);
    const reader = await Log.open(store, 'main', clock);
    const found = await Promise.all([1, 2, 3].map((position) => reader.read(position)));
    expect(found.map((each) => each.ok && each.record.position)).toEqual([1, 2, 3]);
    expect(found.map((each) => each.ok && each.record.previous)).toEqual([null, found[0].hash, found[1].hash]);
    expect(new Set(found.map((each) => each.ok && each.record.putId)).size).toBe(3);
  });

  test('goes on after what another start has left', async () => {
    await put();
    await put();
    const next = await Log.open(store, 'main', clock);
    expect(next.last).toBe(2);
    expect(await put(next)).toBe(3);
    expect((await recordAt(3)).previous).toBe((await log.read(2)).hash);
  });

  test.each(['retry', 'denied', 'fatal'] as const)('that the store surely did not carry out (%s) leaves the position free', async (fault) => {
    store.fail('putIfAbsent', fault);
    await expect(log.put(TERM, 1)).rejects.toMatchObject({ kind: fault });
    expect(await put()).toBe(1);
  });
});

describe('C12: a put whose reply is lost', () => {
  test.each<[string, Fault[]]>([
    ['was carried out', ['stored-but-lost']],
    ['was not carried out', ['lost']],
    ['was not carried out three times', ['lost', 'lost', 'lost']],
    ['failed in a way that no store should', ['unforeseen']],
    ['was lost, and then surely nothing', ['lost', 'retry', 'denied']],
  ])('is settled before it returns, if it %s', async (_, faults) => {
    for (const fault of faults) store.fail('putIfAbsent', fault);
    expect(await put()).toBe(1);
    expect(await store.inner.list('main/log/')).toEqual([logName('main', 1)]);
    expect(await put()).toBe(2);
  });

  test('is settled when the store answers again', async () => {
    store.fail('putIfAbsent', 'stored-but-lost').fail('get', 'retry', 8);
    expect(await put()).toBe(1);
  });

  test('is the same record when the store carries it out late, between the reading back and the next try', async () => {
    store.fail('putIfAbsent', 'late');
    const putting = log.put(TERM, 1);
    await clock.pass(0);
    await store.land();
    await clock.pass(1_000);
    expect(await putting).toBe(1);
    expect(await put()).toBe(2);
  });

  test('is not fenced by its own late try', async () => {
    store.fail('putIfAbsent', 'late', 3).fail('get', 'retry', 2);
    const putting = log.put(TERM, 1);
    await clock.pass(500);
    await store.land();
    await clock.pass(5_000);
    expect(await putting).toBe(1);
  });

  test('LOG_UNSETTLED: ends for ever when nobody can tell for a minute', async () => {
    store.fail('putIfAbsent', 'lost', 10_000).fail('get', 'retry', 10_000);
    const outcome = await put();
    expect(outcome).toMatchObject({ code: 'LOG_UNSETTLED' });
    expect((outcome as { afterMs: number }).afterMs).toBeGreaterThanOrEqual(60_000);
    store.heal();
    const calls = store.calls.length;
    expect(await put()).toEqual({ code: 'LOG_UNSETTLED', afterMs: 0 });
    expect(store.calls.length).toBe(calls);
  });

  test('LOG_UNSETTLED: also when the store says that the record is not there, and never takes it', async () => {
    store.fail('putIfAbsent', 'lost', 10_000);
    expect(await put()).toMatchObject({ code: 'LOG_UNSETTLED' });
  });

  test('LOG_UNSETTLED: at once when the store refuses for good, as a folder does after a failed fsync', async () => {
    store.fail('putIfAbsent', 'stored-but-lost').fail('get', 'fatal', 10_000);
    expect(await put()).toEqual({ code: 'LOG_UNSETTLED', afterMs: 0 });
    await expect(log.put(TERM, 1)).rejects.toMatchObject({ code: 'LOG_UNSETTLED', cause: { kind: 'fatal' } });
  });
});

describe('C12: FENCED', () => {
  test('when another owner has put there, naming it, and for ever', async () => {
    const rival = await Log.open(store, 'main', clock);
    await rival.put({ kind: 'term', from: 'fresh', host: 'elsewhere', pid: 77 }, 5);
    await expect(log.put(TERM, 4)).rejects.toMatchObject({ code: 'FENCED', message: expect.stringContaining('term 5 (elsewhere, pid 77, since 2026-') });
    expect(log.last).toBe(0);
    await store.delete(logName('main', 1));
    const calls = store.calls.length;
    expect(await put()).toEqual({ code: 'FENCED', afterMs: 0 });
    expect(store.calls.length).toBe(calls);
  });

  test('when the reply is lost and another was quicker', async () => {
    store.fail('putIfAbsent', 'lost');
    const putting = log.put(TERM, 1);
    await (await Log.open(store, 'main', clock)).put({ ...TERM, host: 'rival' }, 2);
    await expect(Promise.all([putting, clock.pass(5_000)])).rejects.toMatchObject({ code: 'FENCED' });
  });

  test('also by something that nobody can read', async () => {
    await store.inner.putIfAbsent(logName('main', 1), new Uint8Array([1, 2, 3]));
    await expect(log.put(TERM, 1)).rejects.toMatchObject({ code: 'FENCED', message: expect.stringContaining('another owner') });
  });

  test('of two owners at the same time exactly one goes on', async () => {
    const rivals = await Promise.all([1, 2, 3, 4].map(() => Log.open(store, 'main', clock)));
    const outcomes = await Promise.allSettled(rivals.map((rival, i) => rival.put({ ...TERM, pid: i }, 1)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'FENCED' });
  });
});

describe('the end of a log', () => {
  test('stops a put that is not settled, and leaves no timer', async () => {
    store.fail('putIfAbsent', 'lost', 10_000);
    const putting = log.put(TERM, 1).catch((error: unknown) => error);
    await clock.pass(1_000);
    expect(clock.timersOpen).toBe(1);
    log.close();
    await clock.pass(0);
    expect(clock.timersOpen).toBe(0);
    expect(await putting).toMatchObject({ code: 'SYSTEM_FAILED' });
    await expect(log.put(TERM, 1)).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
  });
});

describe('C16: a log', () => {
  test('that cannot be listed is an error, not an empty log', async () => {
    store.fail('list', 'retry');
    await expect(Log.open(store, 'main', clock)).rejects.toMatchObject({ kind: 'retry' });
  });

  test('that cannot be read is an error, not a damaged record', async () => {
    await put();
    store.fail('get', 'denied');
    await expect(log.read(1)).rejects.toMatchObject({ kind: 'denied' });
  });

  test('is not empty because somebody has put other files beside its records', async () => {
    await put();
    await put();
    for (const name of ['main/log/00000000000000000002.bak', 'main/log/00000000000000000002.orig', 'main/log/zzz']) {
      await store.inner.putIfAbsent(name, new Uint8Array(1));
    }
    expect((await Log.open(store, 'main', clock)).last).toBe(2);
  });

  test('of one job is not that of another whose name begins alike', async () => {
    await put();
    expect((await Log.open(store, 'mai', clock)).last).toBe(0);
    expect((await Log.open(store, 'main2', clock)).last).toBe(0);
  });

  test('counts positions as numbers: the tenth comes after the ninth', async () => {
    for (let i = 0; i < 11; i++) await put();
    expect((await Log.open(store, 'main', clock)).last).toBe(11);
  });
});

describe('CHECKPOINT_DAMAGED: a record', () => {
  async function damageOf(position: number, of = log): Promise<string> {
    const found = await of.read(position);
    expect(found).toMatchObject({ ok: false, error: { code: 'CHECKPOINT_DAMAGED' } });
    return found.ok ? '' : found.error.message;
  }

  test('that is missing', async () => {
    await put();
    await store.delete(logName('main', 1));
    expect(await damageOf(1)).toContain('main/log/00000000000000000001 is missing in memory:fragile');
  });

  test('of which any bit is another, or the end is gone', async () => {
    await put();
    const bytes = await store.inner.get(logName('main', 1));
    const reader = await Log.open(store, 'main', clock);
    const tryWith = async (damaged: Uint8Array): Promise<void> => {
      await store.replace(logName('main', 1), damaged);
      expect(await damageOf(1, reader)).toContain('does not fit');
    };
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      await tryWith(damaged);
    }
    for (let length = 0; length < bytes.length; length++) await tryWith(bytes.slice(0, length));
  });

  test('that was copied from another position or another job', async () => {
    await put();
    await put();
    const bytes = await store.inner.get(logName('main', 1));
    await store.replace(logName('main', 2), bytes);
    expect(await damageOf(2)).toContain("says that it is position 1 of job 'main': it was moved or copied");
    await store.replace(logName('other', 1), bytes);
    const other = await Log.open(store, 'other', clock);
    expect(await damageOf(1, other)).toContain("position 1 of job 'main'");
  });

  test('that is not the one its successor was written after', async () => {
    await put();
    await put();
    const other = new FragileStore();
    await (await Log.open(other, 'main', clock)).put({ ...TERM, pid: 99 }, 1);
    await store.replace(logName('main', 1), await other.inner.get(logName('main', 1)));
    const reader = await Log.open(store, 'main', clock);
    expect((await reader.read(2)).ok).toBe(true);
    expect(await damageOf(1, reader)).toContain('is not the record that its successor was written after');
  });
});
