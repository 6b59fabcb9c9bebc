import { inPieces, limits, PartCache } from '@tidemark/checkpoint/internal';
import { expect, test } from 'vitest';

test('what is shared goes to a worker as it is: a rollback copies nothing of what is kept in memory', () => {
  const block = new PartCache().copy(new Uint8Array(limits.BLOCK_BYTES_MAX).fill(7));
  const [{ files }] = inPieces({ files: [[block]], units: [], frames: [] });
  expect(files).toEqual([[block]]);
  expect((files[0] as readonly Uint8Array[])[0].buffer).toBe(block.buffer);
});

test('a piece of something larger goes with bytes of its own, and a load is cut into messages of bounded size', () => {
  const large = new Uint8Array(limits.LOAD_BYTES * 2).fill(1);
  const half = large.subarray(0, limits.LOAD_BYTES + 1);
  const frame = { codec: 'messages', count: 1, body: large.subarray(10, 20) } as const;
  const unit = { type: 'a', key: 'k', table: '', tableKey: null, value: large.subarray(0, 5) };
  const pieces = inPieces({ files: [half, half], units: [unit], frames: [frame] });
  expect(pieces.map(({ files, units, frames }) => [files.length, units.length, frames.length])).toEqual([
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 1],
  ]);
  const sizes = [...pieces.flatMap(({ files }) => files), pieces[2].units[0].value, pieces[2].frames[0].body].map(
    (bytes) => (bytes as Uint8Array).buffer.byteLength,
  );
  expect(sizes).toEqual([half.length, half.length, 5, 10]);
});

test('of nothing is one piece', () => {
  expect(inPieces({ files: [], units: [], frames: [] })).toEqual([{ files: [], units: [], frames: [] }]);
});
