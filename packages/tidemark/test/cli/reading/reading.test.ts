import { cpSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runReal } from '../fixtures/fake-tidemark.ts';
import {
  addOne,
  bank,
  copyOf,
  flights,
  flipByte,
  folder,
  json,
  liveBank,
  makeStores,
  record,
  withPartFile,
} from './stores.ts';

makeStores();

describe.concurrent('tidemark checkpoints', () => {
  it('lists them newest first, with the terms between them', async () => {
    const { status, stdout, stderr } = await runReal(['checkpoints', '--store', bank]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^main in file:\/\/.*bank: \d+ checkpoints$/);
    expect(lines[2]).toMatch(/^position +created +age +size +units +notes$/);
    expect(lines[4]).toMatch(/^\d+ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d+ s +[\d.]+ kB +64$/);
    expect(lines.filter((line) => /^── \d+: term \d/.test(line))).toEqual([
      expect.stringMatching(/: term 2 from \d+, .+, pid \d+, /),
      expect.stringMatching(/^── 1: term 1 begins anew, /),
    ]);
  });

  it('gives scripts all of it', async () => {
    const { job, boundary, damage, lines } = await json(['checkpoints', '--store', flights, '--job', 'flights']);
    expect({ job, boundary, damage }).toEqual({ job: 'flights', boundary: null, damage: [] });
    expect(lines[0]).toMatchObject({
      kind: 'checkpoint',
      standing: 'line',
      term: 1,
      workers: 2,
      releases: expect.any(Boolean),
    });
    expect(lines.at(-1)).toMatchObject({ kind: 'term', position: 1, from: 'fresh', pid: expect.any(Number) });
    expect(lines.map((line: { position: number }) => line.position)).toEqual(
      lines.map((_: unknown, i: number) => lines.length - i),
    );
  });

  it('marks what was abandoned, and tells the end of a job', async () => {
    const store = copyOf(bank);
    await liveBank(store, 1, 'fresh');
    const { stdout } = await runReal(['checkpoints', '--store', store]);
    expect(stdout).toMatch(/^\d+ .*ABANDONED$/m);
    expect(stdout).toMatch(/^── 1: term 1 .*\(abandoned\)$/m);
    expect((await runReal(['checkpoints', '--store', addOne])).stdout).toMatch(/^3 .* finished$/m);
  });

  it('shows damage loudly, the rest all the same, and ends with 4', async () => {
    const store = copyOf(bank);
    flipByte(record(store, 'main', 4));
    unlinkSync(record(store, 'main', 3));
    const { status, stdout, stderr } = await runReal(['checkpoints', '--store', store]);
    expect(status).toBe(4);
    expect(stdout).toMatch(/^!! 4: DAMAGED: main\/log\/0+4: the sha256 at its end does not fit/m);
    expect(stdout).toMatch(/^!! MISSING: record 3 is missing$/m);
    expect(stdout).toMatch(/^5 /m);
    expect(stdout).toMatch(/^2 /m);
    expect(stderr).toMatch(/^CHECKPOINT_DAMAGED: main\/log\/0+4/m);
    const { lines, damage } = await json(['checkpoints', '--store', store], 4);
    expect(damage).toHaveLength(2);
    expect(lines).toContainEqual({
      kind: 'damaged',
      position: 4,
      standing: 'line',
      code: 'CHECKPOINT_DAMAGED',
      message: damage[0],
    });
  });

  it('lists the jobs of a store with several, and then wants to know which', async () => {
    const store = copyOf(bank);
    cpSync(join(addOne, 'add-one'), join(store, 'add-one'), { recursive: true });
    const { status, stdout } = await runReal(['checkpoints', '--store', store]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^add-one +2 +3 +\d{4}-/m);
    expect((await json(['checkpoints', '--store', store])).jobs).toMatchObject([{ job: 'add-one' }, { job: 'main' }]);
    expect(await runReal(['show', '--store', store])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching('STORE_OTHER_JOB'),
    });
    expect((await runReal(['show', '--store', store, '--job', 'add-one'])).status).toBe(0);
  });
});

describe.concurrent('tidemark show', () => {
  it('tells what is in a checkpoint of actors, on the wire too', async () => {
    const { status, stdout } = await runReal(['show', '--store', bank]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^definitions +account v1$/m);
    expect(stdout).toMatch(/^account +state +64 +[\d,]+$/m);
    expect(stdout).toMatch(/^account +receive +\d+ +\d+ +\d+ +\d+$/m);
    expect(stdout).toMatch(/^Most of it to account\/\d+ \d+/m);
    const shown = await json(['show', '--store', bank]);
    expect(shown).toMatchObject({
      job: 'main',
      parts: [
        { thread: 0, units: 0 },
        { thread: 1, ok: true, files: [{ path: null }] },
        { thread: 2, ok: true, files: [{ path: null }] },
      ],
      units: [{ type: 'account', table: '', units: 64 }],
      motion: [{ type: 'account', handler: 'receive', messages: shown.history.messages }],
      damage: [],
    });
  });

  it('tells how far a job had read, and the output that waits', async () => {
    const { stdout } = await runReal(['show', '--store', flights]);
    expect(stdout).toMatch(/^Input\n.*\n.*\n.*flights.csv +\d+ % +[\d,]+ of [\d,]+ +[\d,]+ +0$/m);
    expect(stdout).toMatch(/^job +keyed +[\d,]+ /m);
    const first = await json(['show', '2', '--store', addOne]);
    expect(first.input).toMatchObject({
      rows: 2,
      badRows: 0,
      ended: true,
      output: join(folder, 'out'),
      files: [{ path: join(folder, 'numbers.ndjson'), readBytes: 44, sizeBytes: 44, rows: 2 }],
    });
    const waiting = first.input.waiting as { sink: string; position: null; lines: number }[];
    expect(waiting.every(({ sink, position }) => sink === 'output' && position === null)).toBe(true);
    expect(waiting.reduce((sum, { lines }) => sum + lines, 0)).toBe(2);
    const text = (await runReal(['show', '2', '--store', addOne])).stdout;
    expect(text).toMatch(/^Output that waits to be written$/m);
    // It was written later, under the name that was told.
    expect(text).toContain(readdirSync(join(folder, 'out')).find((name) => name.endsWith('.ndjson')));
  });

  it('shows the rest of a checkpoint with a damaged part, and ends with 4', async () => {
    const store = copyOf(flights);
    const { path, position } = await withPartFile(store);
    flipByte(path);
    const { status, stdout, stderr } = await runReal(['show', String(position), '--store', store]);
    expect(status).toBe(4);
    expect(stdout).toMatch(/(part\/\S+|in the record)( \+ \d+)? +DAMAGED$/m);
    expect(stdout).toMatch(/^job +keyed +[\d,]+ /m);
    expect(stderr).toMatch(/^CHECKPOINT_DAMAGED: checkpoint \d+: .*sha256/m);
  });

  it.each([
    [['show', '9999'], 2, /CHECKPOINT_UNKNOWN: there is no checkpoint at position 9999 of job 'main'.* 2 to \d+/],
    [['show', '1'], 2, /CHECKPOINT_UNKNOWN: position 1 is the begin of term 1/],
    [['show', '--job', 'other'], 2, /CHECKPOINT_UNKNOWN: .*'other'/],
    [['show', 'x'], 2, /USAGE: x: expected the position/],
  ])('%j says what is wrong', async (args, status, text) => {
    expect(await runReal([...args, '--store', bank])).toMatchObject({
      status,
      stdout: '',
      stderr: expect.stringMatching(text),
    });
  });
});

describe.concurrent('tidemark inspect', () => {
  it('gives the state of an actor', async () => {
    const { stdout } = await runReal(['inspect', '5', '--store', bank, '--actor', 'account/7']);
    expect(JSON.parse(stdout)).toMatchObject({ balance: expect.any(Number), turns: expect.any(Number) });
    expect(await json(['inspect', '5', '--store', bank, '--actor', 'account/7'])).toMatchObject({
      position: 5,
      type: 'account',
      key: '7',
      state: JSON.parse(stdout),
    });
  });

  it('gives the state of a key of a job', async () => {
    const { state } = await json(['inspect', '--store', flights, '--job-key', 'LAX']);
    expect(state).toMatchObject({ flights: expect.any(Number) });
    expect((await json(['inspect', '--store', flights, '--actor', 'job/LAX'])).state).toEqual(state);
  });

  it('lists all units, up to a limit, and says so', async () => {
    const { stdout } = await runReal(['inspect', '5', '--store', bank, '--limit', '2']);
    expect(stdout).toMatch(/^account +0 +/m);
    expect(stdout).toMatch(/^2 of 64 units: see --limit\.$/m);
    const { count, units } = await json(['inspect', '5', '--store', bank, '--limit', '3']);
    expect({ count, shown: units.length }).toEqual({ count: 64, shown: 3 });
  });

  it('says that there is no such actor', async () => {
    const { status, stderr } = await runReal(['inspect', '--store', bank, '--actor', 'account/x']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching('UNIT_UNKNOWN: .* account/x') });
  });
});
