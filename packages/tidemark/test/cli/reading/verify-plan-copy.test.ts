import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runReal } from '../fixtures/fake-tidemark.ts';
import {
  ADD_ONE,
  addOne,
  bank,
  copyOf,
  COUNTER,
  FLIGHTS,
  flights,
  flipByte,
  folder,
  json,
  liveBank,
  makeStores,
  positions,
  record,
  withPartFile,
} from './stores.ts';

makeStores();

describe.concurrent('tidemark diff', () => {
  it('tells what was added and changed, with old and new state', async () => {
    const newest = 10;
    const { status, stdout } = await runReal(['diff', '5', String(newest), '--store', bank, '--limit', '1']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^5 → \d+: 0 added, 0 removed, 64 changed\n\n~ account\/0\n    was \{"balance".*\n    is  \{"balance"/,
    );
    expect(stdout).toMatch(/^1 of 64 changes: see --limit\.$/m);
    const { changes, changed } = await json(['diff', '5', String(newest), '--store', bank]);
    expect(changed).toBe(64);
    expect(changes[7]).toMatchObject({
      kind: 'changed',
      type: 'account',
      key: '7',
      before: { seed: expect.any(Number) },
    });
    expect(changes[7].after).toEqual(
      (await json(['inspect', String(newest), '--store', bank, '--actor', 'account/7'])).state,
    );
  });

  it('tells what was removed, and nothing of two that are the same', async () => {
    const { changes } = await json(['diff', '2', '3', '--store', addOne]);
    const kinds = new Set(changes.map(({ kind, table }: { kind: string; table: string }) => `${kind} ${table}`));
    expect(kinds).toContain('removed sink:output');
    const same = await runReal(['diff', '3', '3', '--store', addOne]);
    expect(same).toMatchObject({ status: 0, stdout: '3 → 3: 0 added, 0 removed, 0 changed\n' });
  });
});

describe.concurrent('tidemark verify', () => {
  it('ends with 0 when all is whole', async () => {
    for (const store of [bank, flights, addOne]) {
      const { status, stdout } = await runReal(['verify', '--store', store]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/\n\nAll of it is whole\.\n$/) });
    }
    expect(await json(['verify', '5', '--store', bank])).toMatchObject({
      whole: true,
      records: 1,
      parts: 3,
      units: 64,
    });
  });

  it('ends with 4 and a table of all that is damaged', async () => {
    const store = copyOf(flights);
    const { path, position } = await withPartFile(store);
    flipByte(path);
    flipByte(record(store, 'flights', 2));
    const { status, stdout, stderr } = await runReal(['verify', '--store', store]);
    expect({ status, stderr }).toEqual({ status: 4, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^${position} +flights/part/\\S+ +checkpoint ${position}: .*sha256`, 'm'));
    expect(stdout).toMatch(/^2 +flights\/log\/0+2 +the sha256 at its end/m);
    expect(stdout).toMatch(/DAMAGED: 2 findings\n$/);
    expect(await json(['verify', '--store', store], 4)).toMatchObject({
      whole: false,
      findings: [{ position }, { position: 2 }],
    });
    expect((await runReal(['verify', String(position), '--store', store])).status).toBe(4);
  });

  it('finds one byte, wherever it was changed', async () => {
    const file = record(addOne, 'add-one', 2);
    const whole = readFileSync(file);
    for (const at of [0, whole.length >> 1, whole.length - 1]) {
      const store = copyOf(addOne);
      flipByte(record(store, 'add-one', 2), at);
      expect((await runReal(['verify', '--store', store])).status, `byte ${at}`).toBe(4);
    }
  });
});

describe.concurrent('tidemark plan', () => {
  it('tells that a start of the same program goes on', async () => {
    const { status, stdout } = await runReal(['plan', FLIGHTS, '--store', flights]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/\nA start goes on from it\.\n$/) });
    expect(stdout).toMatch(/^job +[\d,]+ +\d+ +mapped$/m);
    expect(await json(['plan', FLIGHTS, '--store', flights, '--from', '3'])).toMatchObject({ position: 3, code: null });
    expect((await runReal(['plan', ADD_ONE, '--store', addOne])).stdout).toMatch('the job has finished');
  });

  it('ends with 5 where state belongs to nobody, and changes nothing', async () => {
    const store = copyOf(bank);
    const before = positions(store, 'main').length;
    const { status, stdout, stderr } = await runReal(['plan', COUNTER, '--store', store]);
    expect({ status, stderr }).toEqual({
      status: 5,
      stderr: expect.stringMatching(
        /^STATE_UNCLAIMED: checkpoint 10 holds state of 'account', which this program does not define/,
      ),
    });
    expect(stdout).toMatch(/^account +v1 +64 +\d+ +UNCLAIMED$/m);
    expect(await json(['plan', COUNTER, '--store', store], 5)).toMatchObject({ code: 'STATE_UNCLAIMED' });
    expect(positions(store, 'main')).toHaveLength(before);
  });

  it('says what is wrong with the program, or with what it is to go on from', async () => {
    const noFile = await runReal(['plan', 'no-file.ts', '--store', bank]);
    expect(noFile).toMatchObject({
      status: 2,
      stderr: expect.stringMatching('USAGE: no-file.ts: there is no such file'),
    });
    expect(await runReal(['plan', ADD_ONE, '--store', bank])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching("CHECKPOINT_UNKNOWN: there are no checkpoints of job 'add-one'"),
    });
    const store = copyOf(addOne);
    flipByte(record(store, 'add-one', 3));
    expect(await runReal(['plan', ADD_ONE, '--store', store])).toMatchObject({
      status: 4,
      stderr: expect.stringMatching('CHECKPOINT_DAMAGED'),
    });
  });
});

describe.concurrent('tidemark copy', () => {
  it('makes a store that a start goes on from', async () => {
    const store = join(folder, 'copied');
    const newest = 10;
    const { status, stdout } = await runReal(['copy', bank, store]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringContaining(`Copied checkpoint ${newest} of job main`),
    });
    await liveBank(store, 1);
    const { lines } = await json(['checkpoints', '--store', store]);
    expect(lines.at(-1)).toMatchObject({ kind: 'checkpoint', position: newest, standing: 'line' });
    expect(lines.at(-2)).toMatchObject({ kind: 'term', from: newest });
    expect(await json(['verify', '--store', store])).toMatchObject({ whole: true });
    const again = await runReal(['copy', bank, store, '5']);
    expect(again).toMatchObject({ status: 2, stderr: expect.stringMatching('STORE_NOT_EMPTY') });
  });

  it('makes no folder when there is nothing to copy', async () => {
    const store = join(folder, 'not-copied');
    expect((await runReal(['copy', bank, store, '9999'])).status).toBe(2);
    expect(existsSync(store)).toBe(false);
  });
});

describe.concurrent('commands that look', () => {
  it('make no store, and say so', async () => {
    const nowhere = join(folder, 'nowhere');
    for (const command of ['checkpoints', 'show', 'inspect', 'verify']) {
      const { status, stderr } = await runReal([command, '--store', nowhere]);
      expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringMatching('STORE_NOT_FOUND') });
    }
    expect(existsSync(nowhere)).toBe(false);
  });

  it('work where nobody may write, and change nothing', async () => {
    const store = copyOf(addOne);
    const before = readdirSync(store, { recursive: true }).sort();
    for (const path of [store, join(store, 'add-one'), join(store, 'add-one/log')]) chmodSync(path, 0o500);
    for (const command of ['checkpoints', 'show', 'inspect', 'verify']) {
      expect((await runReal([command, '--store', store])).status).toBe(0);
    }
    for (const path of [store, join(store, 'add-one'), join(store, 'add-one/log')]) chmodSync(path, 0o700);
    expect(readdirSync(store, { recursive: true }).sort()).toEqual(before);
  });

  it('tell a folder that holds none, and the folder of a job itself', async () => {
    expect(await runReal(['checkpoints', '--store', join(addOne, 'add-one')])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching('give the folder that this one lies in'),
    });
  });
});
