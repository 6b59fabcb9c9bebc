import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openFolderStore } from '@tidemark/stores';
import { expect, test } from 'vitest';
import { bodyOf } from '../test/fixtures/checked-body.mjs';

const PUT_FEW = fileURLToPath(new URL('../test/fixtures/put-few.mjs', import.meta.url));

/** The system calls that change folders or make things durable, by their names on all kinds of processors. */
const CALLS = ['?mkdir,?mkdirat', 'fsync', '?link,?linkat', '?unlink,?unlinkat', '?rename,?renameat,?renameat2'];

/** A program of the machine, not of a package. */
const TRACER = 'strace';

/** Far more than the child makes of any of them. */
const CALLS_MAX = 200;

test.each(CALLS)(
  'a process killed at each of its calls of %s leaves whole objects, and all that it acknowledged',
  async (call) => {
    const refusal = reasonNotToTrace();
    if (refusal !== undefined) {
      console.log(`SKIP system: strace cannot trace here (${refusal})`);
      return;
    }
    for (let nth = 1; nth < CALLS_MAX; nth++) {
      const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'));
      try {
        const acked = await killedAt(folder, call, nth);
        const store = await openFolderStore(folder);
        const listed = await store.list('');
        for (const name of listed) expect(bodyOf(name).equals(await store.get(name)), `${name} is whole`).toBe(true);
        if (acked.at(-1) === 'end') return expect(nth, 'at least one call was hit').toBeGreaterThan(1);
        expect(acked.filter((name) => !listed.includes(name))).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    throw new Error(`the child was still killed at call ${CALLS_MAX}`);
  },
);

/** What the child acknowledged; its last word is `end` when it made fewer calls than `nth` and was not killed. */
async function killedAt(folder: string, call: string, nth: number): Promise<readonly string[]> {
  // strace counts the calls of each thread for itself, so there is one thread for files.
  const child = spawn(
    TRACER,
    ['-f', '-qq', '-o', '/dev/null', '-e', `inject=${call}:signal=KILL:when=${nth}`, process.execPath, PUT_FEW, folder],
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const acked: string[] = [];
  for await (const name of createInterface({ input: child.stdout })) acked.push(name);
  return acked;
}

function reasonNotToTrace(): string | undefined {
  try {
    execFileSync(TRACER, ['-f', '-qq', '-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return String(error).split('\n')[0];
  }
}
