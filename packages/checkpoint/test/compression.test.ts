import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { type Compression, createSystem } from '@tidemark/checkpoint';
import {
  limits,
  PartFraming,
  PartWriter,
  payloadOf,
  readPart,
  BlockPool,
  type PartBlock,
} from '@tidemark/checkpoint/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settled } from '../../actors/test/support/manual-clock.ts';
import { Shelf } from './fixtures/shelf.mjs';
import { Bench } from './support/bench.ts';
import { Late } from './support/scripted-store.ts';

const hasZstd = 'zstdCompress' in zlib;
if (!hasZstd) process.stderr.write('compression.test.ts: zstd is skipped, because this Node does not have it\n');
const AVAILABLE: readonly Compression[] = ['none', 'gzip', 'snappy', ...(hasZstd ? (['zstd'] as const) : [])];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-compression-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A system of shelves whose checkpoints go to a folder of their own. */
function start(compression: Compression, store: string = compression): ReturnType<typeof createSystem> {
  return createSystem({
    actors: [new URL('./fixtures/shelf.mjs', import.meta.url)],
    store: join(folder, store),
    workers: 1,
    schedule: '1h',
    compression,
  });
}

async function partBytes(store: string): Promise<number> {
  const parts = join(folder, store, 'main/part');
  const sizes = await Promise.all((await readdir(parts)).map(async (name) => (await stat(join(parts, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('compressed parts', () => {
  it.each(AVAILABLE)('%s: a start reads what was written, whatever it writes itself', async (compression) => {
    const first = await start(compression);
    await first.ask(first.ref(Shelf, 'a')).fill(20_000);
    await first.checkpoint();
    await first.ask(first.ref(Shelf, 'a')).put('row-7', 'other');
    await first.ask(first.ref(Shelf, 'a')).take('row-8');
    await first.checkpoint();
    await first.stop();
    const second = await start('none', compression);
    expect(await second.ask(second.ref(Shelf, 'a')).sum()).toEqual({ rows: 19_999, other: 1 });
    await second.stop();
  });

  it('are smaller than what they hold', async () => {
    for (const compression of AVAILABLE.filter((each) => each !== 'none')) {
      expect(await partBytes(compression)).toBeLessThan((await partBytes('none')) * 0.7);
    }
  });

  it('COMPRESSION_UNAVAILABLE: before anything is touched', async () => {
    await expect(start('lzma' as Compression)).rejects.toMatchObject({
      code: 'COMPRESSION_UNAVAILABLE',
      message: 'compression: lzma; expected one of none, gzip, zstd, snappy',
    });
    expect(await readdir(folder)).not.toContain('lzma');
  });

  it('a block that would grow is stored as it is', async () => {
    const store = 'noise';
    const system = await start('gzip', store);
    await system.ask(system.ref(Shelf, 'a')).noise(200_000);
    await system.checkpoint();
    await system.stop();
    const parts = join(folder, store, 'main/part');
    expect((await readdir(parts)).length).toBeGreaterThan(0);
    expect(await partBytes(store)).toBeLessThan(2 * 200_000 + 2_000);
  });

  it('a block that says a wrong length, or a codec that nobody knows, is damage', () => {
    const blocks: PartBlock[] = [];
    const writer = new PartWriter(new BlockPool((bytes) => new ArrayBuffer(bytes)), (block) => blocks.push(block));
    writer.unit('a', 'k', '', null, 'x'.repeat(1000));
    writer.end();
    const bytesWith = (codec: number, stored: Uint8Array, block = blocks[0]): Uint8Array => {
      const framing = new PartFraming();
      return Buffer.concat([framing.begin(), framing.compressed(block, codec, stored), framing.end(1, 0)]);
    };
    const payload = payloadOf(blocks[0]);
    const gzipped = zlib.gzipSync(payload);
    expect(readPart(bytesWith(1, gzipped)).units).toHaveLength(1);
    const longer = { ...blocks[0], bytes: new Uint8Array(blocks[0].bytes.length + 1) };
    const shorter = { ...blocks[0], bytes: new Uint8Array(limits.BLOCK_HEAD_BYTES + 10) };
    expect(() => readPart(bytesWith(1, gzipped, longer))).toThrow();
    expect(() => readPart(bytesWith(1, gzipped, shorter))).toThrow();
    expect(() => readPart(bytesWith(1, payload))).toThrow();
    expect(() => readPart(bytesWith(9, gzipped))).toThrow('unknown compression: 9');
  });
});

describe('captureBytesMax', () => {
  it('declines a checkpoint of which too much waits for the store, and takes the next one', async () => {
    const bench = await Bench.open({ captureBytesMax: 300_000 });
    const large = { sizeBytes: limits.INLINE_BYTES_MAX * 2 };
    bench.store.next('put', new Late().doing);
    bench.store.next('put', new Late().doing);
    const asked = await bench.ask();
    await bench.parts(1, large);
    expect(asked.error).toMatchObject({
      code: 'CAPTURE_TOO_LARGE',
      message: expect.stringContaining('cut 1: more than 300000 bytes of state wait for the store'),
    });
    expect(bench.ended).toBeNull();
    const again = await bench.ask();
    for (let thread = 0; thread < 3; thread++) {
      bench.part(thread, 2, large);
      await settled();
    }
    await settled();
    expect(again.published).toMatchObject({ cut: 2, position: 2 });
    expect((await bench.record(2)).failed).toMatchObject([{ cut: 1, code: 'CAPTURE_TOO_LARGE' }]);
  });
});
