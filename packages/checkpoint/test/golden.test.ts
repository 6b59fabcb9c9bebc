import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeValue, type PackedFrame, unpackMessages } from '@tidemark/actors/internal';
import { createSystem, type EngineEvent } from '@tidemark/checkpoint';
import { type PartContent, readCheckpoint, readLog, verifyLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Account, ACCOUNTS, TOTAL } from './golden/programs/bank.mjs';

const golden = fileURLToPath(new URL('./golden/', import.meta.url));
const READER = fileURLToPath(new URL('./independent_reader.py', import.meta.url));
const formats = readdirSync(golden).filter((name) => name.startsWith('format-'));
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** What a checkpoint of the bank holds. */
interface BankLine {
  readonly position: number;
  readonly states: readonly number[];
  readonly motion: number;
  readonly total: number;
  readonly accounts: number;
  /** Of its longest part; only the reader in Python counts them, from format 2 on. */
  readonly files?: number;
}

function withoutFiles({ files: _files, ...line }: BankLine): BankLine {
  return line;
}

interface Expected {
  readonly boundary: number;
  readonly checkpoints: readonly BankLine[];
}

it('has golden checkpoints of every format from the first on', () => {
  expect(formats).toEqual(formats.map((_, i) => `format-${i + 1}`));
  expect(formats.length).toBeGreaterThan(0);
});

describe.each(formats)('the bank of %s', (format) => {
  const store = join(golden, format, 'bank');
  let expected: Expected;
  let folder: string;
  beforeAll(async () => {
    expected = JSON.parse(await readFile(join(golden, format, 'expected.json'), 'utf8')) as Expected;
    folder = await mkdtemp(join(tmpdir(), 'tidemark-golden-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is whole, and read as on the day when it was written', async () => {
    const opened = await openStoreForReading(store);
    expect(new Set(expected.checkpoints.map(({ total }) => total))).toEqual(new Set([TOTAL]));
    expect((await verifyLog(opened, 'main', null)).findings).toEqual([]);
    expect((await readLog(opened, 'main')).boundary?.position).toBe(expected.boundary);
    expect(await bankLines(store)).toEqual(expected.checkpoints.map(withoutFiles));
  });

  it('has what its version brought', async () => {
    const files = Math.max(...expected.checkpoints.map((line) => line.files ?? 1));
    if (format === 'format-1') expect(files).toBe(1);
    else expect(files).toBeGreaterThan(1);
    const frames = (await contentsOf(store)).flatMap(({ parts }) => parts.flatMap(framesOf));
    const codecs = [...new Set(frames.map(({ codec }) => codec))].sort();
    expect(codecs).toEqual(['format-1', 'format-2'].includes(format) ? ['messages'] : ['grouped', 'messages']);
  });

  it.skipIf(!hasPython)('is read by the reader in Python as on that day', () => {
    const { stdout, stderr } = spawnSync('python3', [READER, 'bank', join(store, 'main')], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as BankLine)).toEqual(
      expected.checkpoints.map((line) => expect.objectContaining(line) as unknown),
    );
  });

  it.each([1, 2, 3])('goes on with %i workers, and its money is all there in what is written then', async (workers) => {
    const copy = join(folder, String(workers));
    await cp(store, copy, { recursive: true });
    const events: EngineEvent[] = [];
    const system = await createSystem({
      actors: [new URL('./golden/programs/bank.mjs', import.meta.url)],
      store: copy,
      workers,
      schedule: '1h',
      observe: (event) => void events.push(event),
    });
    onTestFinished(() => system.stop());
    const newest = expected.checkpoints.at(-1)!;
    expect(events.find(({ kind }) => kind === 'restored')).toMatchObject({ position: newest.position });
    for (let key = 0; key < ACCOUNTS; key++)
      expect(await system.ask(system.ref(Account, String(key))).balance()).toBeGreaterThanOrEqual(0);
    await system.checkpoint();
    const { position } = await system.checkpoint();
    const lines = await bankLines(copy);
    expect(lines.slice(0, expected.checkpoints.length)).toEqual(expected.checkpoints.map(withoutFiles));
    expect(lines.at(-1)).toMatchObject({ position, total: TOTAL });
    // Money moved: what was in motion was put back, and runs.
    expect(lines.at(-1)!.states).not.toEqual(newest.states);
  });
});

/** Reads every checkpoint of a bank by the present code, oldest first. */
async function bankLines(location: string): Promise<BankLine[]> {
  return (await contentsOf(location)).map(({ position, parts }) => {
    const states = parts.map(({ units }) => sum(units.map((unit) => moneyIn(decodeValue(unit.value)))));
    const motion = sum(
      parts
        .flatMap(framesOf)
        .flatMap((frame) => unpackMessages(frame))
        .map(({ handler, args }) => (handler === 'receive' ? (args[0] as number) : 0)),
    );
    const accounts = sum(parts.map(({ units }) => units.length));
    return { position, states, motion, total: sum(states) + motion, accounts };
  });
}

interface Content {
  readonly position: number;
  readonly parts: readonly PartContent[];
}

async function contentsOf(location: string): Promise<Content[]> {
  const store = await openStoreForReading(location);
  const found: Content[] = [];
  for (const { kind, position } of (await readLog(store, 'main')).lines) {
    if (kind !== 'checkpoint') continue;
    const { parts } = await readCheckpoint(store, { job: 'main', position });
    const contents = parts.map((part): PartContent => {
      if (!part.ok) throw part.error;
      return part.content;
    });
    found.unshift({ position, parts: contents });
  }
  await store.close();
  return found;
}

function framesOf({ mail, channels, outboxes }: PartContent): readonly PackedFrame[] {
  return [...mail, ...channels, ...outboxes];
}

function moneyIn(unit: unknown): number {
  return (unit as { balance: number }).balance;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
