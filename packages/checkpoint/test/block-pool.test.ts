import { BlockPool, limits } from '@tidemark/checkpoint/internal';
import { beforeEach, expect, test } from 'vitest';

const { BLOCK_CAPACITY, SPARE_BLOCKS_MAX } = limits;

/** Blocks that were made. */
let made = 0;
let pool: BlockPool<ArrayBuffer>;
beforeEach(() => {
  made = 0;
  pool = new BlockPool((bytes) => {
    made++;
    return new ArrayBuffer(bytes);
  });
});

/** A cut that takes so many blocks; all of those before it have come back. Answers how many had to be made. */
function cut(blocks: number): number {
  const before = made;
  const taken = Array.from({ length: blocks }, () => pool.take().buffer);
  pool.add(taken);
  return made - before;
}

test('what has come back is used again', () => {
  expect([cut(5), cut(5), cut(5)]).toEqual([5, 0, 0]);
  const { buffer } = pool.take();
  expect(buffer.byteLength).toBe(BLOCK_CAPACITY);
  pool.add([buffer]);
  expect(pool.take().buffer).toBe(buffer);
});

test('what has another size, or has gone to another thread, is of no use', () => {
  const { buffer } = pool.take();
  structuredClone(buffer, { transfer: [buffer] });
  pool.add([buffer, new ArrayBuffer(10)]);
  expect(pool.isEmpty).toBe(true);
});

test('never more are kept than the bound', () => {
  expect(cut(SPARE_BLOCKS_MAX * 3)).toBe(SPARE_BLOCKS_MAX * 3);
  expect(cut(SPARE_BLOCKS_MAX * 3)).toBe(SPARE_BLOCKS_MAX * 2);
  expect(cut(1)).toBe(0);
  expect(cut(SPARE_BLOCKS_MAX)).toBe(0);
});
