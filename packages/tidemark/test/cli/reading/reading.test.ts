import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, runReal } from '../fixtures/fake-tidemark.ts';

const BANK = fileURLToPath(new URL('../fixtures/bank-life.mjs', import.meta.url));
const FLIGHTS = fileURLToPath(new URL('../../../../examples/src/flights.ts', import.meta.url));
const COUNTER = fileURLToPath(new URL('../../../../examples/src/counter.ts', import.meta.url));
const ADD_ONE = fileURLToPath(new URL('../../../../examples/src/add-one.ts', import.meta.url));

/** Made once by the real programs; a test that damages one works on a copy. */
let folder: string;
let bank: string;
let flights: string;
let addOne: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-reading-'));
  [bank, flights, addOne] = await Promise.all([runBank(), runFlights(), runAddOne()]);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tidemark checkpoints', () => {
  it('lists them newest first, with the terms between them', async () => {
    const { status, stdout, stderr } = await runReal(['checkpoints', '--store', bank]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^main in file:\/\/.*bank: \d+ checkpoints$/);
    expect(lines[2]).toMatch(
      /^position +cut +term +created +age +size +duration +pause +units +in flight +workers +notes$/,
    );
    expect(lines[4]).toMatch(
      /^\d+ +\d+ +2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d+ s +[\d.]+ kB +[\d.]+ ms +[\d.]+ ms +64 +\d+ +2$/,
    );
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
    expect(stdout).toMatch(/^\d+ +\d+ +1 .*ABANDONED$/m);
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

describe('tidemark show', () => {
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
        { thread: 1, ok: true, path: null },
        { thread: 2, ok: true, path: null },
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
    expect(stdout).toMatch(/part\/\S+ +DAMAGED$/m);
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

describe('tidemark inspect', () => {
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

describe('tidemark diff', () => {
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

describe('tidemark verify', () => {
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

describe('tidemark plan', () => {
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
      stderr: expect.stringMatching(/^STATE_UNCLAIMED: state of 'account'/),
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

describe('tidemark copy', () => {
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

describe('commands that look', () => {
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

// ── the stores ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Two lives of the bank: term 1 at 1, checkpoints 2 to 7; term 2 at 8, checkpoints 9 and 10. */
async function runBank(): Promise<string> {
  const store = join(folder, 'bank');
  await liveBank(store, 6);
  await liveBank(store, 2);
  return store;
}

/** A life of the bank with so many checkpoints. */
async function liveBank(store: string, checkpoints: number, how: 'fresh' | 'goes-on' = 'goes-on'): Promise<void> {
  const child = spawn(process.execPath, [BANK, store, String(checkpoints), how], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(errors);
}

/** A job that was stopped in the middle, with many keys, so that its parts are files of their own. */
async function runFlights(): Promise<string> {
  const store = join(folder, 'flights');
  const input = join(folder, 'flights.csv');
  const rows = Array.from(
    { length: 60_000 },
    (_, i) => `2001-01-01,${i % 90},500,${i % 50 === 0 ? 'LAX' : `K${i % 6_000}`},SFO`,
  );
  writeFileSync(input, ['date,delay,distance,origin,destination', ...rows, ''].join('\n'));
  const args = [
    'run',
    FLIGHTS,
    '--input',
    input,
    '--store',
    store,
    '--workers',
    '2',
    '--schedule',
    '200ms',
    '--rate',
    '30000',
  ];
  const child = spawn(process.execPath, [REAL, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  while (positions(store, 'flights').length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  await ended;
  return store;
}

const REAL = fileURLToPath(new URL('../../../bin/tidemark.mjs', import.meta.url));

async function runAddOne(): Promise<string> {
  const store = join(folder, 'add-one');
  const input = join(folder, 'numbers.ndjson');
  writeFileSync(input, '{"key":"a","value":1}\n{"key":"b","value":2}\n');
  const args = ['run', ADD_ONE, '--input', input, '--output', join(folder, 'out'), '--store', store, '--workers', '2'];
  const { status, stderr } = await runReal(args);
  if (status !== 0) throw new Error(stderr);
  return store;
}

let copies = 0;
function copyOf(store: string): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(store, copy, { recursive: true });
  return copy;
}

function record(store: string, job: string, position: number): string {
  return join(store, job, 'log', String(position).padStart(20, '0'));
}

function positions(store: string, job: string): number[] {
  const log = join(store, job, 'log');
  return existsSync(log)
    ? readdirSync(log)
        .filter((name) => /^\d{20}$/.test(name))
        .map(Number)
    : [];
}

function flipByte(file: string, at?: number): void {
  const bytes = readFileSync(file);
  const where = at ?? bytes.length >> 1;
  bytes[where] = bytes[where]! ^ 1;
  writeFileSync(file, bytes);
}

/** The newest checkpoint with a part in a file of its own. */
async function withPartFile(store: string): Promise<{ readonly path: string; readonly position: number }> {
  for (const position of positions(store, 'flights').sort((a, b) => b - a)) {
    const shown = await runReal(['show', String(position), '--store', store, '--json']);
    if (shown.status !== 0) continue;
    const { parts } = JSON.parse(shown.stdout) as { parts: { path: string | null }[] };
    const path = parts.find((part) => part.path !== null)?.path;
    if (path !== null && path !== undefined) return { path: join(store, 'flights', path), position };
  }
  throw new Error('no checkpoint has a part in a file');
}

// oxlint-disable-next-line no-explicit-any -- JSON as scripts see it
async function json(args: readonly string[], status = 0): Promise<any> {
  const ended: Ended = await runReal([...args, '--json']);
  expect(ended.status, ended.stderr).toBe(status);
  expect(ended.stdout.endsWith('}\n')).toBe(true);
  return JSON.parse(ended.stdout);
}
