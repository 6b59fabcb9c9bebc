import { type Envelope, packBatch, type PackedFrame, packMessages } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { messages } from './frames.ts';
import { DEFINE, MEGABYTE } from './hostile-bytes.ts';
import { plain } from './plain.ts';
import { packGrouped } from '../../src/grouped.ts';
import type { Chance } from '../../src/testing/chance.ts';
import { bytesFor, weightOf } from '../../src/weight.ts';

type Codec = PackedFrame['codec'];
const CODECS: readonly Codec[] = ['messages', 'grouped', 'rows', 'columns'];

/** A frame of a megabyte that nobody has written, and what kind of it. */
export interface HostileFrame extends PackedFrame {
  readonly kind: string;
}

/** The same for the same chance. */
export function hostileFrame(chance: Chance): HostileFrame {
  const make = chance.pick([randomBytes, dearBytes, units, units, units, units, units, units, units, changed]);
  const { kind, codec, count, body } = make(chance);
  return { kind: `${kind} in codec '${codec}'`, codec, count, body: body.subarray(0, MEGABYTE) };
}

function randomBytes(chance: Chance): HostileFrame {
  const words = Uint32Array.from({ length: MEGABYTE / 4 }, () => chance.below(2 ** 32));
  const body = new Uint8Array(words.buffer);
  return { kind: 'random bytes', codec: chance.pick(CODECS), count: chance.below(4_097), body };
}

/** Begin what is dear, or what makes others dear. */
const TOKENS = [
  0x00, 0x01, 0x40, 0x41, 0x72, 0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xc0, 0xc1, 0xc4, 0xc7, 0xc8, 0xd4,
  0xd5, 0xd6, 0xd7, 0xd9, 0xdc, 0xde, 0xff,
];

function token(chance: Chance): number {
  return chance.isTrue(0.2) ? chance.below(256) : chance.pick(TOKENS);
}

/** Random ones of them, or a few of them over and over, behind the beginning of an array. */
function dearBytes(chance: Chance): HostileFrame {
  const length = chance.pick([1 + chance.below(16), 1 + chance.below(16), 1 + chance.below(300), MEGABYTE]);
  const pattern = Uint8Array.from({ length }, () => token(chance));
  const begin = chance.isTrue(0.5) ? arrayOf(Math.ceil(MEGABYTE / length) * (1 + chance.below(3))) : [];
  const body = new Uint8Array(MEGABYTE);
  body.set(begin);
  for (let at = begin.length; at < MEGABYTE; at += length) body.set(pattern.subarray(0, MEGABYTE - at), at);
  const kind = length === MEGABYTE ? 'random tokens' : `${hex(pattern)} over and over, behind ${begin.length} bytes`;
  return { kind, codec: chance.pick(CODECS), count: chance.below(4_097), body };
}

/** Values of a few random forms over and over, where a frame has its values: these are read to the end. */
function units(chance: Chance): HostileFrame {
  const codec = chance.pick(CODECS);
  const ids: Ids = new Map();
  // So few that their number is not refused.
  const least = chance.isTrue(0.8) ? LEAST[codec] : 1;
  const each = Array.from({ length: 1 + chance.below(3) }, () => unit(chance, ids, least));
  // Their definitions come once, or each time.
  const again = chance.isTrue(0.5) ? each : [unit(chance, ids, least)];
  const { before, after } = PLACES[codec];
  const body = new Uint8Array(MEGABYTE);
  let at = before.length + 5;
  let made = 0;
  for (; ; made++) {
    const next = made < each.length ? each[made] : again[made % again.length];
    if (at + next.length + after.length > MEGABYTE) break;
    body.set(next, at);
    at += next.length;
  }
  body.set([...before, ...arrayOf(made)]);
  body.set(after, at);
  const kind = `${again === each ? '' : `${each.map(hex).join(', ')}, then `}${again.map(hex).join(', ')} over and over`;
  return { kind, codec, count: codec === 'messages' ? 1 : made, body: body.subarray(0, at + after.length) };
}

/** Of a group, up to the values of its only argument. */
const ARGUMENTS = [0x92, ...name('tuples'), 0x91, 0x92, ...name('values')];

/** Bytes of each value, so that a megabyte has no more of them than a frame may have. */
const LEAST: Readonly<Record<Codec, number>> = { messages: 1, grouped: 256, rows: 1, columns: 16 };

/** What stands before and behind the array of values in a frame. */
const PLACES: Readonly<Record<Codec, { readonly before: readonly number[]; readonly after: readonly number[] }>> = {
  messages: { before: [0x91, 0x94, ...name('a'), ...name('k'), ...name('h')], after: [] },
  grouped: {
    before: [0x93, 0x91, 0x94, ...name('a'), ...name('h'), 0x92, ...name('same'), ...name('k'), ...ARGUMENTS],
    after: [0xc0, 0xc0],
  },
  rows: { before: [0x93, ...name('job'), 0xc0], after: [] },
  columns: { before: [0x94, ...name('job'), 0xc0, 0x91, ...name('a'), 0x91, 0x92, ...name('values')], after: [] },
};

/** One value of at least so many bytes: an array of several where one has less, mostly with a text so long that they may be read. */
function unit(chance: Chance, ids: Ids, least: number): number[] {
  const one = value(chance, ids, 4);
  const light = chance.isTrue(0.7) ? [0x92, ...one, ...lightText(one)] : one;
  if (light.length >= least) return light;
  const many = Math.ceil(least / light.length);
  return [0xdc, many >> 8, many & 0xff, ...Array.from({ length: many }, () => light).flat()];
}

/** For behind a value: a text that weighs nothing, of as many bytes as the value weighs more than it has. */
function lightText(one: readonly number[]): number[] {
  const length = Math.min(0xffff, Math.max(0, bytesFor(weightOfOne(one) + ARRAY_WEIGHT) - one.length - 2));
  return length < 32
    ? name('x'.repeat(length))
    : [0xda, length >> 8, length & 0xff, ...new Array<number>(length).fill(0x78)];
}

const ARRAY_WEIGHT = 4;
const MANY = 1_000;

/** Where it comes again and again; nothing of what is no value. */
function weightOfOne(one: readonly number[]): number {
  const many = Uint8Array.from([...arrayOf(MANY), ...Array.from({ length: MANY }, () => one).flat()]);
  try {
    return Math.ceil(weightOf(many, Number.POSITIVE_INFINITY) / MANY);
  } catch {
    return 0;
  }
}

/** How many fields the records have that are defined so far. */
type Ids = Map<number, number>;
type Form = (chance: Chance, ids: Ids, depth: number) => number[];

const LEAVES: readonly Form[] = [
  (chance) => [chance.below(64)],
  (chance) => [chance.pick([0xc0, 0xc2, 0xc3, 0x80, 0x90, 0xe0])],
  (chance) => name('é'.repeat(chance.below(4))),
  (chance) => [0xcb, ...some(chance, 8)],
  (chance) => [chance.pick([0xcf, 0xd3]), ...some(chance, 8)],
  (chance) => bytesOf([0xc4], some(chance, chance.below(4))),
  () => [0xd4, 0x00, 0x00],
  (chance) => extension(0x42, some(chance, 1 + chance.below(20))),
  (chance) => extension(0x74, [chance.below(20), ...some(chance, chance.below(3) * 8)]),
  (chance) => extension(0xff, some(chance, chance.pick([0, 1, 4, 8, 12]))),
];
/** Refused in most frames. */
const ODD: readonly Form[] = [
  (chance) => [0xd6, 0x70, 0, 0, 0, chance.below(3)],
  (...at) => [0xd6, 0x69, 0, 0, 0, at[0].below(3), ...value(...at)],
  (chance) => extension(token(chance), some(chance, chance.below(4))),
];

const BRANCHES: readonly Form[] = [
  (...at) => several(at, chanceOfItems(at[0]), (count) => [0x90 + count]),
  (...at) => several(at, 2 * chanceOfItems(at[0]), (count) => [0x80 + count / 2]),
  (...at) => [0xd4, 0x73, 0x00, ...several(at, chanceOfItems(at[0]), (count) => [0x90 + count])],
  (chance, ids, depth) => {
    const names = Array.from({ length: chanceOfItems(chance) }, (_, i) => fieldOf(chance, i));
    const id = DEFINE[2] + chance.below(2);
    ids.set(id, names.length);
    const define = [DEFINE[0], DEFINE[1], id, 0x90 + names.length, ...names.flat()];
    return several([chance, ids, depth], names.length, () => define);
  },
];

function value(chance: Chance, ids: Ids, depth: number): number[] {
  if (ids.size > 0 && depth > 0 && chance.isTrue(0.3)) {
    const [id, fields] = chance.pick([...ids]);
    return several([chance, ids, depth - 1], fields, () => [id]);
  }
  if (depth > 0 && chance.isTrue(0.02)) return chance.pick(ODD)(chance, ids, depth - 1);
  return chance.pick(depth > 0 && chance.isTrue(0.6) ? BRANCHES : LEAVES)(chance, ids, depth - 1);
}

function several(at: Parameters<Form>, count: number, begin: (count: number) => number[]): number[] {
  return [...begin(count), ...Array.from({ length: count }, () => value(...at)).flat()];
}

function chanceOfItems(chance: Chance): number {
  return chance.pick([0, 1, 1, 2, 3, 7]);
}

/** A field that is named by a number, or by `__proto__`, may be another thing for whoever reads. */
function fieldOf(chance: Chance, i: number): number[] {
  return name(chance.pick([`f${i}`, `f${i}`, String(i), '__proto__', 'constructor', '']));
}

function name(text: string): number[] {
  const bytes = Buffer.from(text);
  return [0xa0 + bytes.length, ...bytes];
}

function extension(type: number, data: readonly number[]): number[] {
  return [0xc7, data.length, type, ...data];
}

function bytesOf(begin: readonly number[], data: readonly number[]): number[] {
  return [...begin, data.length, ...data];
}

function some(chance: Chance, count: number): number[] {
  return Array.from({ length: count }, () => chance.below(256));
}

function arrayOf(count: number): number[] {
  return [0xdd, (count >>> 24) & 0xff, (count >>> 16) & 0xff, (count >>> 8) & 0xff, count & 0xff];
}

function hex(bytes: Iterable<number>): string {
  const all = [...bytes];
  return Buffer.from(all.slice(0, 40)).toString('hex') + (all.length > 40 ? `… (${all.length} bytes)` : '');
}

/** A frame as it is written, some of whose bytes are others. */
function changed(chance: Chance): HostileFrame {
  const codec = chance.pick(CODECS);
  const frame = written(codec, chance);
  const body = frame.body.slice(0, MEGABYTE);
  const changes = chance.pick([1, 4, 100, 10_000]);
  const way = chance.pick(['bytes', 'copies']);
  for (let i = 0; i < changes; i++) {
    const at = chance.below(body.length);
    if (way === 'bytes') body[at] = token(chance);
    else body.copyWithin(at, chance.below(body.length), chance.below(body.length)).fill(token(chance), at, at + 1);
    if (way === 'copies' && i === 9) break;
  }
  const { count } = frame;
  return { kind: `a frame of ${count} with ${changes} ${way} changed`, codec, count, body };
}

/** About a megabyte of values as a program may have them. */
function written(codec: Codec, chance: Chance): PackedFrame {
  const options = { seed: chance.below(2 ** 31), numRuns: 20 };
  if (codec === 'columns' || codec === 'rows') {
    const fields = Array.from({ length: 1 + chance.below(30) }, (_, i) => `f${i}`);
    const values = fc.sample(fc.tuple(...fields.map(() => plain)), options);
    const rows = values.map((items) => Object.fromEntries(fields.map((field, i) => [field, items[i]])));
    const columns = codec === 'columns' ? fields : null;
    return filled(rows, 65_536, (all) => packBatch({ task: 'job', keys: null, values: all, columns }));
  }
  const [envelopes] = fc.sample(messages, { ...options, numRuns: 1 });
  if (codec === 'grouped') {
    return filled(envelopes, 4_096, (all) => ({ codec, count: all.length, body: packGrouped(all, 0) }));
  }
  return filled<unknown>(fc.sample(plain, options), MEGABYTE, (all) => {
    const one: Envelope = { type: 'a', key: 'k', handler: 'h', args: all, reply: null };
    return packMessages([one])[0];
  });
}

/** These items again and again, until the frame has a megabyte or so many items as it may have. */
function filled<T>(items: readonly T[], max: number, pack: (items: readonly T[]) => PackedFrame): PackedFrame {
  const frame = pack(items);
  const count = Math.min(max, Math.ceil((items.length * MEGABYTE) / frame.body.length));
  return pack(Array.from({ length: count }, (_, i) => items[i % items.length]));
}
