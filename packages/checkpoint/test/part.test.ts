import {
  type Batch,
  decodeValue,
  type Envelope,
  holdsMessages,
  packBatch,
  packMessages,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import {
  entriesOf,
  limits,
  mergeFiles,
  type PartBlock,
  type PartContent,
  PartWriter,
  payloadOf,
  readPart,
  BlockPool,
  UNIT_KINDS,
} from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainEnvelope } from '../../actors/test/support/envelopes.ts';
import { same } from '../../actors/test/support/same.ts';
import { chosen, JOB, JobLog } from './support/job-log.ts';
import { bitFlips, fileRef, framed, inlineRef, truncations, writePart } from './support/parts.ts';

const MAGIC_BYTES = 8;

// ── what a thread gives to its part ──────────────────────────────────────────────────────────────────────────────

interface Unit {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly tableKey: string | number | null;
  readonly value: unknown;
}
type Given =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'mail'; readonly envelope: Envelope }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'channel' | 'outbox'; readonly envelopes: readonly Envelope[] }
  | { readonly kind: 'channel' | 'outbox'; readonly batch: Batch };

const exact = { noNullPrototype: true };
const text = fc.string({ unit: 'binary', maxLength: 8 });
/** The codec knows no negative zero. */
const number = fc.double({ noNaN: true }).map((double) => double + 0);
const value = fc.oneof(
  fc.constantFrom(null, undefined, true, 7n, new Date(0), new Map([['a', new Set([1])]]), new Float64Array([0.5])),
  number,
  fc.dictionary(text, fc.array(fc.integer(), { maxLength: 3 }), { ...exact, maxKeys: 3 }),
);
const tableName = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
const unit: fc.Arbitrary<Unit> = fc.oneof(
  fc.record({ type: text, key: text, table: fc.constant(''), tableKey: fc.constant(null), value }, exact),
  fc.record({ type: text, key: text, table: tableName, tableKey: fc.oneof(text, number), value }, exact),
  // Units of one table follow each other.
  fc.record({ type: fc.constant('a'), key: fc.constant('b'), table: fc.constant('c'), tableKey: number, value }, exact),
);
const envelope: fc.Arbitrary<Envelope> = fc.record(
  {
    type: text,
    key: text,
    handler: text,
    args: fc.array(value, { maxLength: 2 }),
    reply: fc.option(fc.record({ ask: fc.nat(), term: fc.nat() }, exact)),
  },
  exact,
);
const keyed: fc.Arbitrary<Batch> = fc
  .array(fc.tuple(fc.oneof(text, fc.integer()), fc.integer()), { maxLength: 4 })
  .map((pairs) => ({ task: 'job', keys: pairs.map(([key]) => key), values: pairs.map(([, n]) => n), columns: null }));
const columns: fc.Arbitrary<Batch> = fc
  .array(fc.record({ city: text, delay: fc.integer(), rate: fc.double() }, exact), { minLength: 1, maxLength: 4 })
  .map((values) => ({ task: 'job', keys: null, values, columns: ['city', 'delay', 'rate'] }));
const batch = fc.oneof(keyed, columns);
const frameKind = fc.constantFrom('channel' as const, 'outbox' as const);
const given: fc.Arbitrary<Given> = fc.oneof(
  fc.record({ kind: fc.constant('unit' as const), unit }),
  fc.record({ kind: fc.constant('mail' as const), envelope }),
  fc.record({ kind: fc.constant('batch' as const), batch }),
  fc.record({ kind: frameKind, envelopes: fc.array(envelope, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: frameKind, batch }),
);

function give(writer: PartWriter, each: Given): void {
  if (each.kind === 'unit') {
    const { type, key, table, tableKey, value: state } = each.unit;
    writer.unit(type, key, table, tableKey, state);
  } else if (each.kind === 'mail') writer.mail(each.envelope);
  else if (each.kind === 'batch') writer.batch(each.batch);
  else writer[each.kind](frameOf(each), 3);
}

function frameOf(each: Extract<Given, { kind: 'channel' | 'outbox' }>): ReturnType<typeof packBatch> {
  return 'batch' in each ? packBatch(each.batch) : packMessages(each.envelopes)[0];
}

/** The part's content as what was given, kind by kind. */
function unpacked(content: PartContent): Record<'units' | 'mail' | 'channels' | 'outboxes', unknown[]> {
  const motion = (frames: PartContent['mail']): unknown[] =>
    frames.map((frame) => (holdsMessages(frame) ? unpackMessages(frame).map(plainEnvelope) : unpackBatch(frame)));
  return {
    units: content.units.map((each) => ({ ...each, value: decodeValue(each.value) })),
    mail: motion(content.mail),
    channels: motion(content.channels),
    outboxes: motion(content.outboxes),
  };
}

function expectedOf(all: readonly Given[]): ReturnType<typeof unpacked> {
  const of = (...kinds: Given['kind'][]): unknown[] =>
    all
      .filter(({ kind }) => kinds.includes(kind))
      .map((each) => {
        if ('unit' in each) return each.unit;
        if ('batch' in each) return each.batch;
        return 'envelope' in each ? [each.envelope] : each.envelopes;
      });
  return { units: of('unit'), mail: of('mail', 'batch'), channels: of('channel'), outboxes: of('outbox') };
}

function messagesIn(each: Given): number {
  if ('unit' in each) return 0;
  if ('batch' in each) return each.batch.values.length;
  return 'envelope' in each ? 1 : each.envelopes.length;
}

// ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('a part', () => {
  it('gives back every unit, message and record, in order, and counts them', () => {
    fc.assert(
      fc.property(fc.array(given, { maxLength: 20 }), (all) => {
        const { bytes, blocks, counts } = writePart((writer) => all.forEach((each) => give(writer, each)));
        const content = readPart(bytes);
        expect(same(unpacked(content), expectedOf(all))).toBe(true);
        expect(counts).toEqual({
          units: content.units.length,
          messages: all.reduce((sum, each) => sum + messagesIn(each), 0),
          frames: content.channels.length + content.outboxes.length,
          bytes: blocks.reduce((sum, block) => sum + payloadOf(block).length, 0),
        });
        const frames = [...content.mail, ...content.channels, ...content.outboxes];
        expect(frames.reduce((sum, { count }) => sum + count, 0)).toBe(counts.messages);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same whole, and piece by piece as it was made', () => {
    const property = fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { maxLength: 12 }), (sizes) => {
      const { bytes, frames } = writePart((writer) => {
        for (const [i, size] of sizes.entries()) writer.unit('type', `key-${i}`, '', null, 'x'.repeat(size));
        writer.gone('type', 'gone', '', null);
      });
      const [whole, pieces] = [readPart(bytes), readPart(frames)];
      expect(unpacked(pieces)).toEqual(unpacked(whole));
      expect([pieces.base, pieces.holds, pieces.gone]).toEqual([whole.base, whole.holds, whole.gone]);
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('of nothing is a part', () => {
    const { bytes, counts } = writePart(() => undefined);
    const { base, units, gone, passing, mail, channels, outboxes } = readPart(bytes);
    expect([base, units, gone, passing, mail, channels, outboxes]).toEqual([0, [], [], [], [], [], []]);
    expect(counts).toEqual({ units: 0, messages: 0, frames: 0, bytes: 0 });
  });

  it('leaves as whole blocks that are at most so large, except for a unit that is larger alone', () => {
    const sizes = [50_000, 125_000, 200_000, 3 * limits.BLOCK_BYTES_MAX, 10, 20, limits.BLOCK_BYTES_MAX, 30];
    const { bytes, blocks } = writePart((writer) => {
      for (const [i, size] of sizes.entries()) {
        writer.unit('type', `key-${i}`, '', null, 'x'.repeat(size));
        writer.settle();
      }
    });
    const lengths = blocks.map((block) => payloadOf(block).length);
    const units = blocks.map((block) => readPart(framed([block])).units.map(({ key }) => key));
    expect(blocks.map(({ holds }) => holds)).toEqual(units.map(() => [['type', '']]));
    expect(units).toEqual([['key-0', 'key-1'], ['key-2'], ['key-3'], ['key-4', 'key-5'], ['key-6'], ['key-7']]);
    expect(lengths.map((length) => length > limits.BLOCK_BYTES_MAX)).toEqual([false, false, true, false, true, false]);
    expect(unpacked(readPart(bytes)).units.map((each) => (each as { value: string }).value.length)).toEqual(sizes);
  });

  it('fills a block to its last byte, and no further', () => {
    const withUnit = (size: number): number[] => {
      const { blocks } = writePart((writer) => {
        writer.unit('type', 'small', '', null, 1);
        writer.unit('type', 'large', '', null, new Uint8Array(size));
      });
      return blocks.map((block) => payloadOf(block).length);
    };
    const [both] = withUnit(125_000);
    const fits = 125_000 + limits.BLOCK_BYTES_MAX - both;
    expect(withUnit(fits)).toEqual([limits.BLOCK_BYTES_MAX]);
    expect(withUnit(fits + 1)).toHaveLength(2);
  });

  it('holds few large units in an entry, and up to 64 small ones, whatever came before', () => {
    const sizes = [...Array<number>(200).fill(5), ...Array<number>(100).fill(30_000), ...Array<number>(200).fill(5)];
    const { blocks, counts } = writePart((writer) => {
      for (const [i, size] of sizes.entries()) writer.unit('type', 'key', 'rows', i, 'x'.repeat(size));
    });
    const entries: number[] = [];
    for (const block of blocks) {
      for (const { body } of entriesOf(payloadOf(block), UNIT_KINDS)) entries.push(body.length);
    }
    expect(counts.units).toBe(sizes.length);
    expect(entries.length).toBeLessThan(150);
    // The first ones after the small ones, which nobody could foresee, and no more.
    expect(entries.filter((bytes) => bytes > 64 * 1024)).toHaveLength(1);
    expect(readPart(framed(blocks)).units.map(({ tableKey }) => tableKey)).toEqual(sizes.map((_, i) => i));
  });

  it('hands out blocks that nothing writes to any more', () => {
    const pieces: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    const writer = new PartWriter(new BlockPool((bytes) => new ArrayBuffer(bytes)), ({ bytes }) => {
      pieces.push(bytes);
      copies.push(Uint8Array.from(bytes));
    });
    for (let i = 0; i < 30; i++) writer.unit('type', `key-${i}`, '', null, String(i % 10).repeat(100_000));
    writer.end();
    expect(pieces.map((piece, i) => Buffer.compare(piece, copies[i]))).toEqual(pieces.map(() => 0));
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
  });

  it('writes into the memory of blocks that were given back, and leaves no trace of what was there', () => {
    const pool = new BlockPool((bytes) => new ArrayBuffer(bytes));
    const write = (units: number): PartBlock[] => {
      const blocks: PartBlock[] = [];
      const writer = new PartWriter(pool, (block) => blocks.push(block));
      giveLarge(units)(writer);
      writer.end();
      return blocks;
    };
    const [first, expected] = [write(50), writePart(giveLarge(20)).bytes];
    const buffers = first.map(({ bytes }) => bytes.buffer as ArrayBuffer);
    expect(buffers.length).toBeGreaterThan(4);
    pool.add(buffers);
    const again = write(20);
    expect(again.length).toBeGreaterThan(2);
    expect(Buffer.compare(framed(again), expected)).toBe(0);
    const known = new Set<ArrayBufferLike>(buffers);
    expect(again.map(({ bytes }) => known.has(bytes.buffer))).toEqual(again.map(() => true));
  });
});

function giveLarge(units: number): (writer: PartWriter) => void {
  return (writer) => {
    for (let i = 0; i < units; i++) writer.unit('type', `key-${i}`, '', null, String(units % 10).repeat(30_000 + i));
  };
}

/** One entry of each kind. */
function small(): Uint8Array {
  return writePart(giveSmall).bytes;
}

function giveSmall(writer: PartWriter): void {
  const message: Envelope = { type: 'a', key: 'b', handler: 'c', args: [1], reply: null };
  writer.unit('a', 'b', '', null, { n: 1 });
  writer.gone('a', 'b', 'rows', 1);
  writer.passing('a', '', 'sink', '1/0', { n: 2 });
  writer.mail(message);
  writer.batch({ task: 'job', keys: null, values: [{ n: 1 }], columns: ['n'] });
  writer.channel(packMessages([message])[0], 1);
  writer.outbox(packMessages([message])[0], 2);
}

describe('damage of a part', () => {
  it('any bit flipped: the crc32 of the block alone tells', () => {
    for (const { bit, flipped } of bitFlips(small())) expect(() => readPart(flipped), `bit ${bit}`).toThrow();
  });

  it('cut short anywhere: its end is missing', () => {
    for (const short of truncations(small())) expect(() => readPart(short), `${short.length} bytes`).toThrow();
  });

  it('an entry of an unknown kind, with a right crc32', () => {
    const { blocks } = writePart(giveSmall);
    payloadOf(blocks[0])[0] = 9;
    expect(() => readPart(framed(blocks))).toThrow('unknown kind of entry: 9');
  });

  it('any bit flipped in a file: a start tells', async () => {
    const log = await JobLog.open();
    await log.term('fresh');
    const bytes = small();
    await log.checkpoint({ parts: [fileRef('part/1-1-0-00', bytes)], releases: true });
    const name = `${JOB}/part/1-1-0-00`;
    for (const { flipped } of bitFlips(bytes)) {
      await log.store.replace(name, flipped);
      await expect(chosen(log.store)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    }
    await log.store.replace(name, bytes);
    expect((await chosen(log.store)).checkpoint?.parts).toEqual([mergeFiles([readPart(bytes)])]);
  });

  it('a file cut short or too long: a start tells', async () => {
    const log = await JobLog.open();
    await log.term('fresh');
    const bytes = small();
    await log.checkpoint({ parts: [fileRef('part/1-1-0-00', bytes)], releases: true });
    for (const damaged of [...truncations(bytes), Buffer.concat([bytes, bytes.slice(MAGIC_BYTES)])]) {
      await log.store.replace(`${JOB}/part/1-1-0-00`, damaged);
      await expect(chosen(log.store)).rejects.toMatchObject({
        code: 'CHECKPOINT_DAMAGED',
        message: expect.stringContaining(`main/part/1-1-0-00 has ${damaged.length} bytes, not ${bytes.length}`),
      });
    }
  });

  it('bytes in the record that are not those it was written for: a start tells', async () => {
    const bytes = small();
    for (const { flipped } of bitFlips(bytes.slice(0, 20))) {
      const log = await JobLog.open();
      await log.term('fresh');
      const [file] = inlineRef(bytes).files;
      const inline = Buffer.concat([flipped, bytes.slice(20)]).toString('base64');
      const ref = { thread: 0, files: [{ ...file, inline }] };
      await log.checkpoint({ parts: [ref], releases: true });
      await expect(chosen(log.store)).rejects.toMatchObject({
        code: 'CHECKPOINT_DAMAGED',
        message: expect.stringContaining('part of thread 0 in record 2 has another sha256'),
      });
    }
  });

  it('bytes that are no part, though the record names them so: a start tells', async () => {
    const log = await JobLog.open();
    await log.term('fresh');
    await log.checkpoint({ parts: [inlineRef(new TextEncoder().encode('TMPART02'))], releases: true });
    await expect(chosen(log.store)).rejects.toThrow('cannot be read');
  });
});
