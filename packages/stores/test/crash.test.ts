import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { openFolderStore } from '@tidemark/stores';
import { expect, test } from 'vitest';
import { bodyOf } from './fixtures/checked-body.mjs';
import { realFolders } from './real-folder.ts';

const newFolder = realFolders();
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

test('a process killed in the middle of its puts leaves whole objects only, and all that it acknowledged', async () => {
  const folder = newFolder();
  const acked: string[] = [];
  const runs = 12;
  for (let run = 0; run < runs; run++) acked.push(...(await killedAfter(folder, `run${run}`, 7 + run * 13)));
  const store = await openFolderStore(folder);
  const listed = await store.list('');
  for (const name of listed) expect(bodyOf(name).equals(await store.get(name)), `${name} is whole`).toBe(true);
  expect(acked.filter((name) => !listed.includes(name))).toEqual([]);
  expect(acked.length).toBeGreaterThan(runs * 50);
});

/** One life of a child: it is killed once it acknowledged `acks` names, with other puts under way. */
async function killedAfter(folder: string, run: string, acks: number): Promise<readonly string[]> {
  const child = start('put-loop.mjs', [folder, run]);
  const acked: string[] = [];
  for await (const name of createInterface({ input: child.stdout })) {
    acked.push(name);
    if (acked.length === acks) child.kill('SIGKILL');
  }
  return acked;
}

test('S3: of processes that race for the same names each name has one winner', async () => {
  const folder = newFolder();
  const names = 40;
  const racers = ['a', 'b', 'c', 'd', 'e', 'f'];
  const children = racers.map((racer) => start('put-race.mjs', [folder, racer, String(names)]));
  const lines = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  for (const line of lines) expect((await line.next()).value).toBe('ready');
  for (const child of children) child.stdin.write('go\n');
  const won = await Promise.all(lines.map(rest));

  const winners = new Map<string, string>();
  for (const [index, wonNames] of won.entries()) {
    for (const name of wonNames) {
      expect(winners.has(name), `${name} was won twice`).toBe(false);
      winners.set(name, racers[index] ?? '');
    }
  }
  expect(winners.size).toBe(names);
  const store = await openFolderStore(folder);
  for (const [name, racer] of winners) expect(bodyOf(racer).equals(await store.get(name))).toBe(true);
});

function start(name: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(process.execPath, [fixture(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function rest(lines: AsyncIterator<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) found.push(line.value);
  return found;
}
