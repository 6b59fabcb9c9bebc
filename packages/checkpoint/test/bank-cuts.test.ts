import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeValue, unpackMessages } from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  decodeRecord,
  mergeFiles,
  type PartContent,
  readPart,
} from '@tidemark/checkpoint/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNTS, INJECTED, OPENING } from './fixtures/bank.mjs';

/** All there is, from the moment on at which every account exists. */
const TOTAL = ACCOUNTS * (OPENING + INJECTED);
const CHECKPOINTS = 200;
const program = fileURLToPath(new URL('./fixtures/bank-run.mjs', import.meta.url));

let store: string;

beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'tidemark-bank-'));
});

afterEach(() => rm(store, { recursive: true, force: true }));

describe('64 accounts sending each other money without end, in cycles', () => {
  it('have the same total in every stored checkpoint, and after every kill -9 and restore', async () => {
    const first = await runUntil(3, CHECKPOINTS);
    const ready = first.ready;
    for (const workers of [3, 2, 4]) {
      const before = (await records()).length;
      const run = await runUntil(workers, before + 20);
      expect(run.ready).toBeGreaterThan(ready);
    }

    const all = await records();
    const full = all.filter((record) => record.position >= ready);
    expect(full.length).toBeGreaterThanOrEqual(CHECKPOINTS);
    expect(new Set(all.map((record) => record.term)).size).toBe(4);
    const wrong: string[] = [];
    let inMotion = 0;
    for (const record of full) {
      const { states, motion, accounts } = await moneyIn(record);
      if (motion > 0) inMotion++;
      if (states + motion !== TOTAL || accounts !== ACCOUNTS) {
        wrong.push(`position ${record.position}: ${accounts} accounts hold ${states}, ${motion} in motion`);
      }
    }
    expect(wrong).toEqual([]);
    // With a message for each account always on its way, a cut without motion would say that nothing was recorded.
    expect(inMotion).toBe(full.length);
  }, 120_000);
});

/** Runs the bank until the log holds so many checkpoints, then kills it with SIGKILL. */
async function runUntil(workers: number, checkpoints: number): Promise<{ readonly ready: number }> {
  const child = spawn(process.execPath, [program, store, String(workers)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const ready = await readyPosition(child);
  while ((await names()).length < checkpoints + 10) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await ended;
  return { ready };
}

async function readyPosition(child: ChildProcess): Promise<number> {
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()));
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = /^ready (\d+)$/.exec(line);
    if (found !== null) return Number(found[1]);
  }
  throw new Error(`the bank ended before it was ready: ${errors}`);
}

async function names(): Promise<string[]> {
  const log = join(store, 'main/log');
  return (await readdir(log).catch(() => [])).filter((name) => /^\d{20}$/.test(name)).sort();
}

async function records(): Promise<CheckpointRecord[]> {
  const found: CheckpointRecord[] = [];
  for (const name of await names()) {
    const record = decodeRecord(await readFile(join(store, 'main/log', name)), name);
    if (record.kind === 'checkpoint') found.push(record);
  }
  return found;
}

/** What a stored checkpoint holds, read from its files: balances, and amounts in mailboxes, channels and outboxes. */
async function moneyIn(record: CheckpointRecord): Promise<{ states: number; motion: number; accounts: number }> {
  let states = 0;
  let motion = 0;
  let accounts = 0;
  for (const part of record.parts) {
    const files = await Promise.all(
      part.files.map(async (file) =>
        'path' in file ? readFile(join(store, 'main', file.path)) : Buffer.from(file.inline, 'base64'),
      ),
    );
    const content: PartContent = mergeFiles(files.map((each) => readPart(each)));
    for (const unit of content.units) {
      accounts++;
      states += (decodeValue(unit.value) as { balance: number }).balance;
    }
    for (const frame of [...content.mail, ...content.channels, ...content.outboxes]) {
      for (const message of unpackMessages(frame)) motion += message.args[0] as number;
    }
  }
  return { states, motion, accounts };
}
