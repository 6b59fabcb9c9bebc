import { decodeValue, packBatch, packMessages, type PackedFrame, unpackBatch, unpackMessages } from '@tidemark/actors/internal';
import { limits, PartWriter, readPart } from '@tidemark/checkpoint/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf, letter, partBytes, smallPart } from './support/parts.ts';

type Entry =
  | { readonly kind: 'unit'; readonly address: [string, string, string, string | number | null]; readonly value: unknown }
  | { readonly kind: 'mail' | 'batch' | 'channel' | 'outbox'; readonly n: number };

const name = fc.string({ unit: 'binary', maxLength: 8 });
const tableKey = fc.oneof(fc.constant(null), fc.integer(), name);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant('unit' as const),
    address: fc.tuple(name, name, name, tableKey),
    value: fc.oneof(fc.string(), fc.integer(), fc.array(fc.integer()), fc.uint8Array({ maxLength: 200_000, size: 'max' })),
  }),
  fc.record({ kind: fc.constantFrom('mail' as const, 'batch' as const, 'channel' as const, 'outbox' as const), n: fc.nat(50) }),
);

describe('a part', () => {
  test('gives back every unit and all motion, each kind in its order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const content = readPart(partBytes((part) => entries.forEach((each) => write(part, each))));
        const units = entries.filter((each) => each.kind === 'unit');
        expect(content.units.map(({ type, key, table, tableKey: at }) => [type, key, table, at])).toEqual(units.map(({ address }) => address));
        expect(content.units.map(({ value }) => decodeValue(value))).toEqual(units.map(({ value }) => value));
        const of = (...kinds: Entry['kind'][]) => entries.filter(({ kind }) => kinds.includes(kind)).map((each) => (each as { n: number }).n);
        expect(content.mail.map(numberIn)).toEqual(of('mail', 'batch'));
        expect(content.channels.map(numberIn)).toEqual(of('channel'));
        expect(content.outboxes.map(numberIn)).toEqual(of('outbox'));
      }),
    );
  });

  test('of nothing is a part, too', () => {
    expect(readPart(partBytes(() => undefined))).toEqual({ units: [], mail: [], channels: [], outboxes: [] });
  });

  test('leaves as blocks of bounded size, a larger unit as a block of its own', () => {
    const blocks: Uint8Array[] = [];
    const part = new PartWriter((block) => blocks.push(block));
    for (let i = 0; i < 50; i++) part.unit('account', String(i), '', null, new Uint8Array(100_000).fill(i));
    part.unit('account', 'large', '', null, new Uint8Array(3_000_000));
    part.unit('account', 'last', '', null, 1);
    expect(blocks.length).toBeGreaterThan(5);
    part.end();
    const large = blocks.filter(({ length }) => length > limits.BLOCK_BYTES_MAX);
    expect(large.map(({ length }) => Math.floor(length / 1_000_000))).toEqual([3]);
    expect(readPart(Buffer.concat(blocks)).units.map(({ key }) => key)).toEqual([...Array.from({ length: 50 }, (_, i) => String(i)), 'large', 'last']);
    expect(part.counts.bytes).toBe(blocks.reduce((sum, { length }) => sum + length, 0));
  });

  test('each block may be transferred: no two share memory, and none is used again', () => {
    const blocks: Uint8Array[] = [];
    const part = new PartWriter((block) => blocks.push(structuredClone(block, { transfer: [block.buffer as ArrayBuffer] })));
    for (let i = 0; i < 30; i++) part.unit('account', String(i), '', null, new Uint8Array(100_000).fill(i));
    part.end();
    const units = readPart(Buffer.concat(blocks)).units;
    expect(units.map(({ value }) => (decodeValue(value) as Uint8Array)[99_999])).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  test('counts what it holds', () => {
    let counts: PartWriter['counts'] | undefined;
    const bytes = partBytes((part) => {
      part.unit('account', 'a', '', null, 1);
      part.mail(letter('a', 1));
      part.batch(batchOf(10));
      for (const frame of packMessages([letter('a', 1), letter('b', 2)])) part.channel(frame, 1);
      part.outbox(packBatch(batchOf(5)), 2);
      counts = part.counts;
    });
    expect(counts).toEqual({ units: 1, messages: 1 + 10 + 2 + 5, frames: 2, bytes: bytes.length });
  });
});

describe('a damaged part is never read as another', () => {
  const whole = smallPart();

  test('whichever bit is wrong', () => {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = whole.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect(() => readPart(damaged), `bit ${bit}`).toThrow();
    }
  });

  test('wherever it was cut off', () => {
    // Between blocks nothing is missing inside: there the length in the record tells (see choose.test.ts).
    for (let length = 0; length < whole.length; length++) {
      if (length === 8) continue;
      expect(() => readPart(whole.slice(0, length)), `${length} bytes`).toThrow();
    }
  });
});

function write(part: PartWriter, each: Entry): void {
  if (each.kind === 'unit') part.unit(...each.address, each.value);
  else if (each.kind === 'mail') part.mail(letter('a', each.n));
  else if (each.kind === 'batch') part.batch(batchOf(each.n));
  else for (const frame of packMessages([letter('a', each.n)])) part[each.kind](frame, 1);
}

/** The number that an entry was made of. */
function numberIn(frame: PackedFrame): number {
  return frame.codec === 'messages' ? (unpackMessages(frame.body)[0].args[0] as number) : unpackBatch(frame).values.length;
}
