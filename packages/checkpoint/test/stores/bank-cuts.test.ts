import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type CheckpointRecord,
  decodeRecord,
  mergeFiles,
  type PartContent,
  readPart,
} from '@tidemark/checkpoint/internal';
import { openStoreForReading, type Store } from '@tidemark/stores';
import { expect, it } from 'vitest';
import { describePlaces } from '../../../stores/test/support/places.ts';
import { ACCOUNTS, INJECTED, OPENING } from '../fixtures/bank.mjs';
import { countMoney, totalOf } from '../support/money.ts';

/** Accounts that nobody pays, so many that a worker's part becomes an object of its own. */
const IDLE = 12_000;
/** All there is, from the moment on at which every account exists. */
const TOTAL = ACCOUNTS * (OPENING + INJECTED) + IDLE * OPENING;
/** Workers of each life, which ends by SIGKILL, and the checkpoints that it takes at least. */
const LIVES = [
  [3, 14],
  [2, 10],
  [4, 10],
] as const;
const LOOK_MS = 100;
const program = fileURLToPath(new URL('../fixtures/bank-run.mjs', import.meta.url));

await describePlaces('64 accounts sending each other money without end', (place) => {
  it('have the same total in every stored checkpoint, and after every kill -9 and restore with other workers', async () => {
    const location = place().location();
    const ready: number[] = [];
    for (const [workers, checkpoints] of LIVES) ready.push(await live(location, workers, checkpoints));
    const store = await openStoreForReading(location);
    try {
      const all = (await records(store)).filter(({ position }) => position >= (ready[0] ?? 0));
      expect(all.length).toBeGreaterThanOrEqual(30);
      // Each life went on where the one before it had come to.
      expect(ready.toSorted((a, b) => a - b)).toEqual(ready);
      expect(all.map(({ parts }) => parts.length - 1)).toEqual(expect.arrayContaining([3, 2, 4]));
      expect(await store.list('main/part/')).not.toEqual([]);
      for (const record of all) {
        const money = countMoney(await contentOf(store, record));
        const about = `position ${record.position}`;
        expect([about, money.accounts, totalOf(money)]).toEqual([about, ACCOUNTS + IDLE, TOTAL]);
        // With a message for each account always on its way, a cut without motion would say that nothing was recorded.
        expect(money.messages).toBeGreaterThan(0);
      }
    } finally {
      await store.close();
    }
  });
});

/** A life of the bank until it has published so many checkpoints; answers the position of the first with all money in it. */
async function live(location: string, workers: number, checkpoints: number): Promise<number> {
  const child = spawn(process.execPath, [program, location, String(workers), String(IDLE)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  try {
    const ready = await readyPosition(child);
    const store = await openStoreForReading(location);
    const after = `main/log/${String(ready).padStart(20, '0')}`;
    while ((await store.list('main/log/', { after })).length < checkpoints) {
      if (child.exitCode !== null) throw new Error('the bank has ended by itself');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await store.close();
    return ready;
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
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

async function records(store: Store): Promise<readonly CheckpointRecord[]> {
  const found: CheckpointRecord[] = [];
  for (const name of await store.list('main/log/')) {
    const record = decodeRecord(await store.get(name), name);
    if (record.kind === 'checkpoint') found.push(record);
  }
  return found;
}

/** The parts of a checkpoint, from the objects that it names. */
async function contentOf(store: Store, record: CheckpointRecord): Promise<readonly PartContent[]> {
  const contents: PartContent[] = [];
  for (const part of record.parts) {
    const files = await Promise.all(
      part.files.map(async (file) =>
        'path' in file ? store.get(`main/${file.path}`) : Buffer.from(file.inline, 'base64'),
      ),
    );
    contents.push(mergeFiles(files.map((each) => readPart(each))));
  }
  return contents;
}
