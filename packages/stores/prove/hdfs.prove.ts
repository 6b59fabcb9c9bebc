import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../test/fixtures/checked-body.mjs';
import { cluster } from '../test/hdfs/hdfs-cluster.ts';
import { whyNot } from '../test/support/services.ts';

const PUT_LOOP = fileURLToPath(new URL('../test/fixtures/put-loop.mjs', import.meta.url));
/** A program of the machine, not of a package. */
const TRACER = 'strace';
const MEGABYTE = 1_048_576;
const BIG_MEGABYTES = 256;
const OBJECTS = 10_000;
const AT_ONCE = 16;
const KILLS = 40;

const reason = await whyNot('hdfs');
if (reason !== null) console.log(`SKIP hdfs: ${reason}`);

describe.skipIf(reason !== null)('a store on a real HDFS', () => {
  const running = cluster('--datanodes', '2');

  test(`an object of ${BIG_MEGABYTES} MB, streamed, over several blocks, comes back byte by byte`, async () => {
    const store = await running().open();
    const block = Buffer.from(Array.from({ length: MEGABYTE }, (_, index) => (index * 31) % 251));
    async function* body() {
      for (let index = 0; index < BIG_MEGABYTES; index++) {
        block.writeUInt32LE(index);
        yield Buffer.from(block);
      }
    }
    const startMs = performance.now();
    await store.put('big', body());
    const putMs = performance.now();
    const got = await store.get('big');
    const getMs = performance.now();
    console.log(`put ${rate(putMs - startMs)}, get ${rate(getMs - putMs)}`);
    expect(got.length).toBe(BIG_MEGABYTES * MEGABYTE);
    for (let index = 0; index < BIG_MEGABYTES; index++) {
      block.writeUInt32LE(index);
      expect(block.equals(got.subarray(index * MEGABYTE, (index + 1) * MEGABYTE)), `megabyte ${index}`).toBe(true);
    }
    // Across the border of two blocks of HDFS, which lie at 128 MB.
    const offset = 128 * MEGABYTE - 1_000;
    const across = await store.get('big', { offset, length: 2_000 });
    expect(Buffer.from(across).equals(got.subarray(offset, offset + 2_000))).toBe(true);
  });

  test(`${OBJECTS} objects are all listed, in order, from any place on`, async () => {
    const store = await running().open();
    const names = Array.from({ length: OBJECTS }, (_, index) => `log/${String(index).padStart(20, '0')}`);
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let name = names[next++]; name !== undefined; name = names[next++])
          await store.put(name, bodyOf(name).subarray(0, 32));
      }),
    );
    const startMs = performance.now();
    expect(await store.list('log/')).toEqual(names);
    console.log(`listed in ${Math.round(performance.now() - startMs)} ms`);
    for (const from of [0, 999, 1_000, 5_432, OBJECTS - 1])
      expect(await store.list('log/', { after: names[from] ?? '' })).toEqual(names.slice(from + 1));
  });

  test(`${KILLS} writers killed at any moment leave whole objects only, and all that they acknowledged`, async () => {
    const location = running().freshLocation();
    const acked: string[] = [];
    for (let run = 0; run < KILLS; run++)
      acked.push(...(await killedAfter(location, `run${run}`, 1 + ((run * 7) % 60))));
    const store = await running().open(location);
    const listed = await store.list('');
    for (const name of listed) expect(bodyOf(name).equals(await store.get(name)), `${name} is whole`).toBe(true);
    expect(acked.filter((name) => !listed.includes(name))).toEqual([]);
    expect(acked.length).toBeGreaterThan(KILLS);
  });

  test('a data node syncs what a put wrote to its disk before the put resolves', async () => {
    const refusal = reasonNotToTrace();
    if (refusal !== undefined) {
      console.log(`SKIP system: strace cannot trace here (${refusal})`);
      return;
    }
    const store = await running().open();
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'));
    const tracers = [1, 2].map((node) => {
      const processId = readFileSync(join(running().folder, `datanode${node}.pid`), 'utf8').trim();
      const output = join(folder, String(node));
      const args = ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', output, '-p', processId];
      return { output, child: spawn(TRACER, args, { stdio: 'ignore' }) };
    });
    try {
      // A first put shows when the tracers are there.
      const synced = () => tracers.map(({ output }) => (readOr(output).match(/sync\(/g) ?? []).length);
      await expect
        .poll(async () => (await store.replace('warm', bodyOf('warm')), synced()), { timeout: 20_000 })
        .toEqual([expect.any(Number), expect.any(Number)]);
      await expect
        .poll(async () => (await store.replace('warm', bodyOf('warm')), Math.min(...synced())), { timeout: 20_000 })
        .toBeGreaterThan(0);
      const before = synced();
      await store.put('synced', bodyOf('synced'));
      const after = synced();
      console.log(
        `calls of fsync on the two data nodes: ${after.map((calls, node) => calls - (before[node] ?? 0)).join(' and ')}`,
      );
      for (const [node, calls] of after.entries()) expect(calls).toBeGreaterThan(before[node] ?? 0);
    } finally {
      for (const { child } of tracers) child.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** One life of a child: it is killed once it acknowledged `acks` names, with other puts under way. */
async function killedAfter(location: string, run: string, acks: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [PUT_LOOP, location, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acked: string[] = [];
  for await (const name of createInterface({ input: child.stdout })) {
    acked.push(name);
    if (acked.length === acks) child.kill('SIGKILL');
  }
  return acked;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function rate(milliseconds: number): string {
  return `${Math.round(BIG_MEGABYTES / (milliseconds / 1_000))} MB/s`;
}

function reasonNotToTrace(): string | undefined {
  try {
    execFileSync(TRACER, ['-f', '-qq', '-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return String(error).split('\n')[0];
  }
}
