import { decodeRecord, encodeRecord, limits, Log, logName } from '@tidemark/checkpoint/internal';
import { MemoryStore, StoreError } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { bodyOf, JOB } from './support/job-log.ts';
import { sha256 } from './support/parts.ts';
import { recordOf, termOf } from './support/records.ts';
import {
  carriedOut,
  Late,
  refused,
  replyLost,
  requestLost,
  ScriptedStore,
  storeError,
} from './support/scripted-store.ts';

const TERM = 3;

let memory: MemoryStore;
let store: ScriptedStore;
let clock: ManualClock;
let log: Log;

beforeEach(async () => {
  memory = new MemoryStore('test');
  store = new ScriptedStore(memory);
  clock = new ManualClock();
  log = await Log.open(store, JOB, clock);
});

const name = (position: number): string => logName(JOB, position);
const stored = (position: number): Promise<Uint8Array> => memory.get(name(position));
const put = (): Promise<number> => log.put(bodyOf(), TERM);

/** Another owner's record at a position. */
function taken(position: number): Promise<unknown> {
  return memory.putIfAbsent(name(position), encodeRecord(termOf({ position, term: 9, host: 'other', pid: 42 })));
}

/** What became of a put, in a form that can be looked at while it is under way. */
function watched(promise: Promise<number>): { position: number | null; error: unknown; over: boolean } {
  const seen: ReturnType<typeof watched> = { position: null, error: null, over: false };
  promise.then(
    (position) => Object.assign(seen, { position, over: true }),
    (error: unknown) => Object.assign(seen, { error, over: true }),
  );
  return seen;
}

describe('C11: the log', () => {
  it('is written without gaps, from 1 on, each record with the hash of the one before', async () => {
    expect(log.last).toBe(0);
    for (const position of [1, 2, 3]) {
      expect(await put()).toBe(position);
      expect(log.last).toBe(position);
    }
    expect(await memory.list(`${JOB}/log/`)).toEqual([1, 2, 3].map(name));
    expect(decodeRecord(await stored(1), name(1)).previous).toBeNull();
    for (const position of [2, 3]) {
      const record = decodeRecord(await stored(position), name(position));
      expect(record).toMatchObject({ position, job: JOB, term: TERM, previous: sha256(await stored(position - 1)) });
    }
  });

  it('goes on after the newest record as it is, where it was damaged when it was read first and put right since', async () => {
    await put();
    const whole = await stored(1);
    const damaged = Uint8Array.from(whole);
    damaged[5] ^= 1;
    const set = async (bytes: Uint8Array): Promise<void> => {
      await memory.delete(name(1));
      await memory.putIfAbsent(name(1), bytes);
    };
    await set(damaged);
    log = await Log.open(store, JOB, clock);
    expect(await log.read(1)).toMatchObject({ ok: false });
    await set(whole);
    expect(await log.read(1)).toMatchObject({ ok: true });
    await set(damaged);
    await log.read(1);
    await put();
    expect(decodeRecord(await stored(2), name(2)).previous).toBe(sha256(whole));
  });

  it('goes on after the newest record there, as it was found, damaged or not', async () => {
    await put();
    await put();
    const damaged = Uint8Array.from(await stored(2));
    damaged[5] ^= 1;
    await memory.replace(name(2), damaged);
    const next = await Log.open(store, JOB, clock);
    expect(next.last).toBe(2);
    expect(await next.put(bodyOf(), TERM + 1)).toBe(3);
    expect(decodeRecord(await stored(3), name(3)).previous).toBe(sha256(damaged));
  });

  it('keeps the hash of what it wrote, whatever lies there by now: with the record put back, it is whole', async () => {
    await put();
    const whole = await stored(1);
    await memory.replace(name(1), whole.slice(0, -5));
    expect((await log.read(1)).ok).toBe(false);
    await put();
    expect(decodeRecord(await stored(2), name(2)).previous).toBe(sha256(whole));

    await memory.replace(name(1), whole);
    const again = await Log.open(memory, JOB, clock);
    for (const position of [2, 1]) expect((await again.read(position)).ok).toBe(true);
  });

  it('gives each put an id of its own', async () => {
    await put();
    await put();
    const ids = [decodeRecord(await stored(1), ''), decodeRecord(await stored(2), '')].map(({ putId }) => putId);
    expect(new Set(ids).size).toBe(2);
  });

  it('sorts by position, and overlooks what a person has put there', async () => {
    expect([name(2), name(10), name(9), name(1_000_000)].sort()).toEqual([2, 9, 10, 1_000_000].map(name));
    await put();
    await memory.put(`${JOB}/log/README`, new Uint8Array(1));
    await memory.put(`${JOB}/log/00000000000000000009.bak`, new Uint8Array(1));
    expect((await Log.open(store, JOB, clock)).last).toBe(1);
  });

  it('shows when a record is not the one that its successor was written after', async () => {
    await put();
    await put();
    await put();
    const before = decodeRecord(await stored(2), '');
    await memory.replace(name(2), encodeRecord({ ...before, putId: 'another' }));
    const next = await Log.open(store, JOB, clock);
    expect(await next.read(3)).toMatchObject({ ok: true });
    expect(await next.read(2)).toMatchObject({
      ok: false,
      error: {
        code: 'CHECKPOINT_DAMAGED',
        message: `${name(2)} is not the record that its successor was written after`,
      },
    });
    expect(await next.read(1)).toMatchObject({ ok: true });
  });

  it('shows records that changed places, or came from another job', async () => {
    await put();
    await put();
    const [first, second] = [await stored(1), await stored(2)];
    await memory.replace(name(1), second);
    await memory.replace(name(2), first);
    await memory.replace(name(3), encodeRecord(recordOf({ job: 'other', position: 3 })));
    const next = await Log.open(store, JOB, clock);
    for (const [position, what] of [
      [3, "position 3 of job 'other'"],
      [2, "position 1 of job 'main'"],
      [1, "position 2 of job 'main'"],
    ] as const) {
      expect(await next.read(position)).toMatchObject({
        ok: false,
        error: {
          code: 'CHECKPOINT_DAMAGED',
          message: `${name(position)} says that it is ${what}: it was moved or copied`,
        },
      });
    }
  });

  it('shows a record that is gone', async () => {
    await put();
    await put();
    await memory.delete(name(1));
    expect(await log.read(1)).toMatchObject({
      ok: false,
      error: { code: 'CHECKPOINT_DAMAGED', message: `${name(1)} is missing in memory:test` },
    });
  });

  it('does not call a record gone that the store would not give', async () => {
    await put();
    for (const kind of ['retry', 'denied', 'fatal', 'lost'] as const) {
      store.next('get', refused(kind));
      await expect(log.read(1)).rejects.toMatchObject({ kind });
    }
  });

  it('C16: a listing that failed is an error, never "empty"', async () => {
    await put();
    for (const failing of [1, 2]) {
      store.next('list', ...[carriedOut, carriedOut].slice(0, failing - 1), refused('retry'));
      await expect(Log.open(store, JOB, clock)).rejects.toBeInstanceOf(StoreError);
    }
  });
});

describe('C12: a put', () => {
  it('that finds another owner there is fenced, says by whom, and so is every later one', async () => {
    await put();
    await taken(2);
    await expect(put()).rejects.toMatchObject({
      code: 'FENCED',
      message: expect.stringContaining(
        `${name(2)} was written by term 9 (other, pid 42, since 2026-01-01T00:00:00.000Z)`,
      ),
    });
    await memory.delete(name(2));
    store.calls.length = 0;
    await expect(put()).rejects.toMatchObject({ code: 'FENCED' });
    expect(store.calls).toEqual([]);
    expect(log.last).toBe(1);
  });

  it('that finds what cannot be read there is fenced, too', async () => {
    await memory.put(name(1), new Uint8Array(3));
    await expect(put()).rejects.toMatchObject({ code: 'FENCED', message: expect.stringContaining('another owner') });
  });

  it('whose reply is lost is found to be stored', async () => {
    store.next('putIfAbsent', replyLost);
    expect(await put()).toBe(1);
    expect(store.count('putIfAbsent')).toBe(1);
    expect(await put()).toBe(2);
    expect(decodeRecord(await stored(2), '').previous).toBe(sha256(await stored(1)));
  });

  it('whose request is lost is repeated', async () => {
    store.next('putIfAbsent', requestLost);
    const seen = watched(put());
    await clock.pass(1_000);
    expect(seen).toMatchObject({ position: 1, error: null });
    expect(store.count('putIfAbsent')).toBe(2);
  });

  it('that the store carries out late, after its repetition, is this record and no other', async () => {
    const late = new Late();
    store.next('putIfAbsent', (carryOut) => {
      void late.doing(carryOut).catch(() => undefined);
      return Promise.reject(storeError('lost'));
    });
    const seen = watched(put());
    await clock.pass(1_000);
    expect(seen.position).toBe(1);
    await late.happen();
    expect(await put()).toBe(2);
    expect(decodeRecord(await stored(2), '').previous).toBe(sha256(await stored(1)));
  });

  it('that is carried out late, before its repetition, is found by that: `taken` by our own bytes', async () => {
    const late = new Late();
    store.next('putIfAbsent', (carryOut) => {
      void late.doing(carryOut).catch(() => undefined);
      return Promise.reject(storeError('lost'));
    });
    const seen = watched(put());
    await settled();
    await late.happen();
    await clock.pass(1_000);
    expect(seen).toMatchObject({ position: 1, error: null });
    expect(store.count('putIfAbsent')).toBe(2);
  });

  it('whose request is lost, and then another owner is there, is fenced', async () => {
    store.next('putIfAbsent', requestLost);
    const seen = watched(put());
    await settled();
    await taken(1);
    await clock.pass(1_000);
    expect(seen.error).toMatchObject({ code: 'FENCED' });
  });

  it.each(['retry', 'denied', 'corrupt', 'fatal'] as const)(
    'that is surely refused (%s) is a StoreError, and the next one takes its place',
    async (kind) => {
      await put();
      store.next('putIfAbsent', refused(kind));
      const seen = watched(put());
      await settled();
      expect(seen.error).toMatchObject({ name: 'StoreError', kind });
      expect(await put()).toBe(2);
      expect(decodeRecord(await stored(2), '').previous).toBe(sha256(await stored(1)));
    },
  );

  it('that may be there is not given up because a repetition is refused', async () => {
    store.next('putIfAbsent', requestLost, refused('denied'), refused('retry'));
    const seen = watched(put());
    await clock.pass(100);
    expect(seen.over).toBe(false);
    await clock.pass(2_000);
    expect(seen).toMatchObject({ position: 1, error: null });
  });

  it('that failed with an error that is none of the store is in doubt, too', async () => {
    store.next('putIfAbsent', async (carryOut) => {
      await carryOut();
      throw new TypeError('fetch failed');
    });
    expect(await put()).toBe(1);
  });

  it('of which the store stays silent is LOG_UNSETTLED after a minute, and nothing is put any more', async () => {
    store.next('putIfAbsent', replyLost);
    store.always('putIfAbsent', requestLost);
    store.always('get', refused('retry'));
    const seen = watched(put());
    await clock.pass(limits.SETTLE_MS - 1_000, 100);
    expect(seen.over).toBe(false);
    await clock.pass(limits.SETTLE_DELAY_MS_MAX + 1_000, 100);
    expect(seen.error).toMatchObject({
      code: 'LOG_UNSETTLED',
      message: expect.stringContaining(`${name(1)}: the store does not say whether this record is there`),
      cause: expect.objectContaining({ kind: 'retry' }),
    });
    expect(clock.timersOpen).toBe(0);
    store.always('putIfAbsent');
    store.always('get');
    await expect(put()).rejects.toBe(seen.error);
    expect(await memory.list(`${JOB}/log/`)).toEqual([name(1)]);
  });

  it('that comes to a store which is back within the minute is settled', async () => {
    store.always('putIfAbsent', requestLost);
    store.always('get', refused('retry'));
    const seen = watched(put());
    await clock.pass(limits.SETTLE_MS / 2, 100);
    store.always('putIfAbsent');
    store.always('get');
    await clock.pass(limits.SETTLE_DELAY_MS_MAX, 100);
    expect(seen).toMatchObject({ position: 1, error: null });
  });

  it('of which the store will never say more is LOG_UNSETTLED at once', async () => {
    store.next('putIfAbsent', replyLost);
    store.next('get', refused('fatal'));
    const seen = watched(put());
    await settled();
    expect(seen.error).toMatchObject({ code: 'LOG_UNSETTLED', cause: { kind: 'fatal' } });
    await expect(put()).rejects.toMatchObject({ code: 'LOG_UNSETTLED' });
  });
});

describe('close', () => {
  it('lets no put begin, and keeps the first reason', async () => {
    log.close();
    await expect(put()).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
    expect(store.count('putIfAbsent')).toBe(0);

    const fenced = await Log.open(store, JOB, clock);
    await taken(1);
    await expect(fenced.put(bodyOf(), TERM)).rejects.toMatchObject({ code: 'FENCED' });
    fenced.close();
    await expect(fenced.put(bodyOf(), TERM)).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('ends the settling of a put at once, and leaves no timer', async () => {
    store.always('putIfAbsent', requestLost);
    store.always('get', refused('retry'));
    const seen = watched(put());
    await settled();
    expect(clock.timersOpen).toBe(1);
    log.close();
    await settled();
    expect(seen.error).toMatchObject({ code: 'SYSTEM_FAILED' });
    expect(clock.timersOpen).toBe(0);
  });

  it('ends it also while the store is asked', async () => {
    const late = new Late();
    store.next('putIfAbsent', requestLost);
    store.next('get', late.doing);
    const seen = watched(put());
    await settled();
    log.close();
    late.fail(storeError('absent'));
    await settled();
    expect(seen.error).toMatchObject({ code: 'SYSTEM_FAILED' });
    expect(clock.timersOpen).toBe(0);
    expect(store.count('putIfAbsent')).toBe(1);
  });

  it('does not take back a put that the store has carried out', async () => {
    const late = new Late();
    store.next('putIfAbsent', late.doing);
    const seen = watched(put());
    await settled();
    log.close();
    await late.happen();
    await settled();
    expect(seen).toMatchObject({ position: 1, error: null });
  });
});
