import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeValue, type Envelope, packMessages, unpackMessages } from '@tidemark/actors/internal';
import { readCheckpoint, readLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNTS, INJECTED, OPENING } from './fixtures/bank.mjs';
import { writePart } from './support/parts.ts';

const READER = fileURLToPath(new URL('./independent_reader.py', import.meta.url));
const BANK = fileURLToPath(new URL('./fixtures/bank-run.mjs', import.meta.url));
/** Enough that the state does not fit into a record, and most of it does not change: so parts are chains of files. */
const IDLE = 10_000;
const TOTAL = ACCOUNTS * (OPENING + INJECTED) + IDLE * OPENING;

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython)
  process.stderr.write('format.test.ts: skipped, because there is no python3 to run the independent reader\n');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-format-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!hasPython)('a reader in another language, written from FORMAT.md alone', () => {
  it('finds C(t) = Σ Sᵢ(t) + motion in every stored checkpoint of the bank, as we do', async () => {
    const store = join(folder, 'bank');
    const ready = await runBank(store, 40);
    const theirs = read('bank', join(store, 'main')) as BankLine[];
    expect(theirs.length).toBeGreaterThanOrEqual(40);
    expect(theirs).toEqual(await ourTotals(store));
    expect(Math.max(...theirs.map(({ files }) => files))).toBeGreaterThan(2);
    const full = theirs.filter(({ position }) => position >= ready);
    expect(new Set(full.map(({ total }) => total))).toEqual(new Set([TOTAL]));
    // The sum of the parts alone would be wrong: there is always money on its way.
    expect(full.every(({ motion }) => motion > 0)).toBe(true);
  }, 60_000);

  it('reads every kind of value', async () => {
    const shared = { same: true };
    const shapes = Array.from({ length: 200 }, (_, i) => ({ [`field${i % 150}`]: i }));
    const values = {
      numbers: [
        0,
        63,
        64,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 53,
        -1,
        -32,
        -33,
        -129,
        -32_769,
        -(2 ** 31),
        0.1,
      ],
      odd: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, null, true, false],
      bigints: [0n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n), 2n ** 200n, -(2n ** 999n) + 7n],
      texts: ['', 'a', 'ä€😀', 'x'.repeat(31), 'x'.repeat(32), 'ö'.repeat(200), 'x'.repeat(70_000)],
      dates: [0, -1, 1, 1_234_567_890_123, 2 ** 35 * 1_000, -8.64e15, Number.NaN].map((ms) => new Date(ms)),
      map: new Map<unknown, unknown>([
        ['a', 1],
        [{ key: 1 }, new Map()],
        [2n, [1]],
      ]),
      largeMap: new Map(Array.from({ length: 70_000 }, (_, i) => [i, i])),
      set: new Set<unknown>([1, 'a', new Set([[]])]),
      views: [
        Int8Array.of(-1),
        Uint8Array.of(1, 255),
        Uint8ClampedArray.of(9),
        Int16Array.of(-2),
        Uint16Array.of(65_535),
        Int32Array.of(-3),
        Uint32Array.of(4_000_000_000),
        Float32Array.of(0.5),
        Float64Array.of(0.1, -0.1),
        BigInt64Array.of(-5n),
        BigUint64Array.of(2n ** 64n - 1n),
        Uint8Array.of(1, 2).buffer,
        new DataView(Uint8Array.of(3, 4).buffer),
        new Uint8Array(300),
        new Uint8Array(70_000),
      ],
      shared: [shared, shared, [shared]],
      shapes: [...shapes, ...shapes],
      empty: [{}, [], new Map(), new Set(), new Uint8Array(0)],
      array: Array.from({ length: 70_000 }, (_, i) => i % 7),
    };
    /** Columns of all kinds, in two groups. */
    const many = Array.from(
      { length: 60 },
      (_, i): Envelope => ({
        type: i % 3 === 0 ? 'even' : 'odd',
        key: `k${i % 3 === 0 ? i : 0}`,
        handler: 'h',
        args:
          i % 3 === 0 ? [i, i / 4, { name: 'n', at: { i, ok: true } }] : [undefined, i % 2 === 0 ? 'a' : 'b', [1n, i]],
        reply: i % 5 === 0 ? { ask: i, term: 3 } : i % 7 === 0 ? { call: 'c', type: 'odd', key: `${i}` } : null,
        ...(i % 10 === 0 ? { requestId: `r${i}` } : {}),
      }),
    );
    const part = writePart((writer) => {
      for (const [name, value] of Object.entries(values)) writer.unit('all', name, '', null, value);
      writer.settle();
      writer.mail({ type: 'a', key: 'k', handler: 'h', args: [1n, 'x'], reply: { ask: 7, term: 2 } });
      writer.batch({ task: 'job', keys: ['a', 1], values: [{ x: 1 }, { x: 'y' }], columns: null });
      writer.batch({
        task: 'job',
        keys: null,
        values: [
          { x: 1, y: 0.5, z: 'p' },
          { x: 2, y: 1, z: 'p' },
        ],
        columns: ['x', 'y', 'z'],
      });
      for (const frame of packMessages(many)) writer.channel(frame, 2);
      writer.gone('all', 'bygone', '', null);
      writer.passing('job', '', 'sink:output', '1/0', 7);
    });
    const file = join(folder, 'part');
    await writeFile(file, part.bytes);
    const found = read('units', file) as { kind: number; head: unknown; body: unknown }[];
    const expected = Object.entries(values).map(([name, value]) => ({
      kind: 1,
      head: ['all', name, '', null],
      body: inPython(value),
    }));
    expect(found.slice(0, expected.length)).toEqual(expected);
    expect(found.slice(expected.length)).toEqual([
      { kind: 2, head: ['messages', 1], body: [['a', 'k', 'h', [inPython(1n), 'x'], 7, 2]] },
      { kind: 2, head: ['rows', 2], body: ['job', ['a', 1], [{ x: 1 }, { x: 'y' }]] },
      {
        kind: 2,
        head: ['columns', 2],
        body: [
          'job',
          null,
          ['x', 'y', 'z'],
          [
            ['integers', inPython(Int32Array.of(1, 2))],
            ['numbers', inPython(Float64Array.of(0.5, 1))],
            ['texts', inPython(Uint16Array.of(0, 0)), ['p']],
          ],
        ],
      },
      { kind: 3, head: ['grouped', many.length, 2], body: many.map(inFrame) },
      { kind: 5, head: ['all', 'bygone', '', null], body: null },
      { kind: 6, head: ['job', '', 'sink:output', '1/0'], body: 7 },
    ]);
  });

  it('refuses a byte that was changed', async () => {
    const part = writePart((writer) => writer.unit('a', 'k', '', null, { balance: 1 }));
    const file = join(folder, 'damaged');
    for (let at = 0; at < part.bytes.length; at += 3) {
      const bytes = Buffer.from(part.bytes);
      bytes[at] ^= 1;
      await writeFile(file, bytes);
      expect(spawnSync('python3', [READER, 'units', file]).status, `byte ${at}`).not.toBe(0);
    }
  });
});

interface BankLine {
  readonly position: number;
  readonly states: readonly number[];
  readonly motion: number;
  readonly total: number;
  readonly accounts: number;
  /** Of the part that has most. */
  readonly files: number;
}

function read(what: string, path: string): unknown[] {
  const { status, stdout, stderr } = spawnSync('python3', [READER, what, path], { maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** Runs the bank until it has so many checkpoints, then kills it; answers the position from which on all money is in. */
async function runBank(store: string, checkpoints: number): Promise<number> {
  const child = spawn(process.execPath, [BANK, store, '2', String(IDLE)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let ready = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    ready = Number(/^ready (\d+)$/.exec(line)?.[1] ?? 0);
    if (ready > 0) break;
  }
  while ((await readdir(join(store, 'main/log'))).length <= checkpoints)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await ended;
  return ready;
}

async function ourTotals(location: string): Promise<BankLine[]> {
  const store = await openStoreForReading(location);
  const lines: BankLine[] = [];
  for (const { kind, position } of (await readLog(store, 'main')).lines) {
    if (kind !== 'checkpoint') continue;
    const view = await readCheckpoint(store, { job: 'main', position });
    const contents = view.parts.map((part) => {
      if (!part.ok) throw part.error;
      return part.content;
    });
    const states = contents.map(({ units }) =>
      units.reduce((sum, unit) => sum + (decodeValue(unit.value) as { balance: number }).balance, 0),
    );
    const motion = contents
      .flatMap(({ mail, channels, outboxes }) => [...mail, ...channels, ...outboxes])
      .flatMap((frame) => unpackMessages(frame))
      .reduce((sum, { handler, args }) => sum + (handler === 'receive' ? (args[0] as number) : 0), 0);
    const total = states.reduce((sum, state) => sum + state, 0) + motion;
    const accounts = contents.reduce((sum, { units }) => sum + units.length, 0);
    const files = Math.max(...view.record.parts.map((part) => part.files.length));
    lines.unshift({ position, states, motion, total, accounts, files });
  }
  return lines;
}

/** A message as the Python reader prints it. */
function inFrame({ type, key, handler, args, reply, requestId }: Envelope): unknown {
  const extra = [...Object.values(reply ?? {}), ...(requestId === undefined ? [] : [requestId])];
  return [type, key, handler, inPython(args), ...extra];
}

/** A value as the Python reader prints it. */
function inPython(value: unknown): unknown {
  const typed = ($type: string, inner?: unknown): unknown =>
    inner === undefined ? { $type } : { $type, value: inner };
  if (typeof value === 'bigint') return typed('bigint', String(value));
  if (value === undefined) return typed('undefined');
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return typed('number', String(value).replace('Infinity', 'inf').replace('NaN', 'nan'));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inPython);
  if (value instanceof Map)
    return typed(
      'Map',
      [...value].map(([key, field]) => [inPython(key), inPython(field)]),
    );
  if (value instanceof Set) return typed('Set', [...value].map(inPython));
  if (value instanceof Date) return { $type: 'Date', value: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (value instanceof ArrayBuffer) return typed('ArrayBuffer', [...new Uint8Array(value)]);
  if (value instanceof DataView) return typed('DataView', [...new Uint8Array(value.buffer)]);
  if (value instanceof BigInt64Array || value instanceof BigUint64Array)
    return typed(value.constructor.name, Array.from(value, Number));
  if (ArrayBuffer.isView(value)) return typed(value.constructor.name, Array.from(value as unknown as Iterable<number>));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, inPython(field)]));
}
