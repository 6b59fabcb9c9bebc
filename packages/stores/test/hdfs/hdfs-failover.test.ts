import { StoreError } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../disk-parts.ts';
import { bodyOf } from '../fixtures/checked-body.mjs';
import { whyNot } from '../support/services.ts';
import { cluster } from './hdfs-cluster.ts';

const reason = await whyNot('hdfs');
if (reason !== null) console.log(`SKIP hdfs: ${reason}`);

describe.skipIf(reason !== null)('a store on a real HDFS with two name nodes', () => {
  const running = cluster('--ha');

  test('the active one is found, whichever is named first', async () => {
    const location = running().freshLocation();
    const other = location.replace(/\/\/[^/]*/, `//${running().nameNodes.toReversed().join(',')}`);
    const first = await running().open(location);
    const second = await running().open(other);
    await first.put('x/1', bytesOf('x'));
    expect(await second.list('')).toEqual(['x/1']);
    expect(await second.putIfAbsent('x/1', bytesOf('y'))).toBe('taken');
  });

  test('only the one in standby is named: unreachable, and the message says why', async () => {
    const standby = running().freshLocation(running().nameNodes.slice(1));
    const error: unknown = await running()
      .open(standby, { deadlineMs: 2_000 })
      .catch((reason_: unknown) => reason_);
    expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
    expect((error as StoreError).message).toMatch(/StandbyException.*Name all name nodes/);
  });

  test('the active one is killed and the other one takes over: puts wait, and all that was acknowledged is there', async () => {
    const store = await running().open();
    const stored: string[] = [];
    const errors: unknown[] = [];
    const life = { isOver: false };
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let index = 0; !life.isOver; index++) {
        const name = `writer-${writer}/${String(index).padStart(6, '0')}`;
        await store.putIfAbsent(name, bodyOf(name)).then(
          () => stored.push(name),
          (error: unknown) => errors.push(error),
        );
      }
    });
    await expect.poll(() => stored.length, { timeout: 20_000 }).toBeGreaterThan(30);
    await running().command('kill-namenode', '1');
    const before = stored.length;
    await running().command('admin', 'haadmin', '-failover', 'nn1', 'nn2');
    await expect.poll(() => stored.length, { timeout: 60_000 }).toBeGreaterThan(before + 30);
    life.isOver = true;
    await Promise.all(writers);
    const listed = await store.list('');
    expect(stored.filter((name) => !listed.includes(name))).toEqual([]);
    for (const name of listed) expect(bodyOf(name).equals(await store.get(name)), `${name} is whole`).toBe(true);
    for (const error of errors) {
      expect(error).toBeInstanceOf(StoreError);
      expect(['retry', 'lost'], (error as StoreError).message).toContain((error as StoreError).kind);
    }
    await running().command('start-namenode', '1');
    await store.put('later/1', bytesOf('x'));
  });
});
