import { actor, table } from '@tidemark/actors';
import {
  type Batch,
  decodeValue,
  encodeValue,
  type Envelope,
  holdsMessages,
  homeOfGroup,
  keyGroup,
  packBatch,
  type PackedFrame,
  packMessages,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import { distribute, type PartContent, type PartWriter, type Placement, readPart } from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writePart } from './support/parts.ts';
import { recordOf } from './support/records.ts';

const THREADS = 4;
const WORKERS_MAX = 8;

const on = { take: (_ctx: object, _n: number): void => undefined };
const Mover = actor('mover', { version: 2, state: () => ({ n: 0, visits: table<number, number>() }), on });
const Desk = actor('desk', { place: 'host', state: () => ({ n: 0 }), on });

/** A job whose only task has the name `job`; its units know their worker by number. */
const placement: Placement = {
  knows: (task) => task === 'job',
  placeUnit: (unit, workers) => 1 + (Number(unit.tableKey) % workers),
  splitBatch(batch, workers) {
    const split = new Map<number, { keys: (string | number)[]; values: unknown[] }>();
    for (const [i, key] of (batch.keys ?? []).entries()) {
      const home = homeOfKey(key, workers);
      const target = split.get(home) ?? { keys: [], values: [] };
      split.set(home, target);
      target.keys.push(key);
      target.values.push(batch.values[i]);
    }
    return new Map([...split].map(([home, target]): [number, Batch] => [home, { ...batch, ...target }]));
  },
};

function homeOfKey(key: string | number, workers: number): number {
  return homeOfGroup(keyGroup('job', key), workers);
}

function homeOf({ type, key }: { readonly type: string; readonly key: string }, workers: number): number {
  return type === Desk.name ? 0 : homeOfGroup(keyGroup(type, key), workers);
}

type Where = 'mail' | 'channel' | 'outbox';
/** Something that lay in the part of one thread: a frame of messages, or of records for the task. */
interface Motion {
  readonly thread: number;
  readonly where: Where;
  readonly to: readonly { readonly type: string; readonly key: string }[];
  readonly keys: readonly number[] | null;
}

const key = fc.integer({ min: 0, max: 11 }).map(String);
const address = fc.record({ type: fc.constantFrom(Mover.name, Mover.name, Desk.name), key });
const motion: fc.Arbitrary<Motion> = fc.record({
  thread: fc.nat({ max: THREADS - 1 }),
  where: fc.constantFrom<Where>('mail', 'channel', 'outbox'),
  to: fc.array(address, { minLength: 1, maxLength: 5 }),
  keys: fc.option(fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 5 }), { freq: 2 }),
});

const message = (to: { readonly type: string; readonly key: string }, n: number): Envelope => ({
  type: to.type,
  key: to.key,
  handler: 'take',
  args: [n],
  reply: null,
});

/** Parts with the units and the motion, every message and record numbered in the order in which they were given. */
function partsWith(
  units: readonly { thread: number; type: string; key: string }[],
  all: readonly Motion[],
): PartContent[] {
  let next = 0;
  const writes: ((writer: PartWriter) => void)[][] = Array.from({ length: THREADS }, () => []);
  for (const unit of units) {
    writes[unit.thread].push((writer) => writer.unit(unit.type, unit.key, '', null, { of: unit.key }));
  }
  for (const { thread, where, to, keys } of all) {
    if (keys !== null) {
      const batch: Batch = { task: 'job', keys, values: keys.map(() => next++), columns: null };
      writes[thread].push((writer) => (where === 'mail' ? writer.batch(batch) : writer[where](packBatch(batch), 1)));
      continue;
    }
    const envelopes = to.map((each) => message(each, next++));
    writes[thread].push((writer) => {
      if (where === 'mail') for (const each of envelopes) writer.mail(each);
      else writer[where](packMessages(envelopes)[0], 1);
    });
  }
  return writes.map((each) => readPart(writePart((writer) => each.forEach((write) => write(writer))).bytes));
}

/** Numbers by receiver, in order: an actor by its name, or a key of the task. */
function byReceiver(frames: readonly PackedFrame[], into = new Map<string, number[]>()): Map<string, number[]> {
  const add = (receiver: string, n: unknown): void => {
    into.set(receiver, [...(into.get(receiver) ?? []), n as number]);
  };
  for (const frame of frames) {
    if (holdsMessages(frame)) for (const each of unpackMessages(frame)) add(`${each.type}/${each.key}`, each.args[0]);
    else {
      const { keys, values } = unpackBatch(frame);
      values.forEach((value, i) => add(`job/${keys?.[i]}`, value));
    }
  }
  return into;
}

const sorted = (map: Map<string, number[]>): [string, number[]][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('C17: units', () => {
  const addresses = fc.uniqueArray(
    fc.record({ type: fc.constantFrom(Mover.name, Desk.name), key: fc.string({ maxLength: 5 }) }),
    { maxLength: 40, selector: (each) => `${each.type}/${each.key}` },
  );

  it('go to the home of their key, each once and unchanged, for any number of workers', () => {
    fc.assert(
      fc.property(addresses, fc.integer({ min: 1, max: WORKERS_MAX }), (all, workers) => {
        const parts = partsWith(
          all.map((each, i) => ({ ...each, thread: i % THREADS })),
          [],
        );
        const loads = distribute(recordOf(), parts, workers, placement);
        expect(loads).toHaveLength(workers + 1);
        for (const [thread, { units }] of loads.entries()) {
          for (const unit of units) expect(homeOf(unit, workers)).toBe(thread);
        }
        const names = loads.flatMap(({ units }) => units).map((unit) => `${unit.type}/${unit.key}`);
        expect(names.sort()).toEqual(all.map((each) => `${each.type}/${each.key}`).sort());
        for (const { units } of loads) {
          for (const unit of units) expect(decodeValue(unit.value)).toEqual({ of: unit.key });
        }
      }),
    );
  });

  it('of one actor and its tables come together, in their order', () => {
    const part = readPart(
      writePart((writer) => {
        writer.unit(Mover.name, 'a', '', null, 0);
        for (let n = 1; n <= 20; n++) writer.unit(Mover.name, 'a', 'visits', n, n);
      }).bytes,
    );
    const loads = distribute(recordOf(), [part], 3, placement);
    const [home, ...others] = loads.filter(({ units }) => units.length > 0);
    expect(others).toEqual([]);
    expect(home.units.map(({ tableKey }) => tableKey)).toEqual([null, ...Array.from({ length: 20 }, (_, i) => i + 1)]);
  });

  it('of a task go where the job says', () => {
    const part = readPart(
      writePart((writer) => [0, 1, 2, 3, 4].forEach((n) => writer.unit('job', '', 'splits', n, n))).bytes,
    );
    const loads = distribute(recordOf(), [part], 3, placement);
    expect(loads.map(({ units }) => units.map(({ tableKey }) => tableKey))).toEqual([[], [0, 3], [1, 4], [2]]);
  });
});

describe('C17: messages and records', () => {
  it('go to the home of their receiver, each once: first mailboxes, then channels, then outboxes, each in its order', () => {
    fc.assert(
      fc.property(fc.array(motion, { maxLength: 25 }), fc.integer({ min: 1, max: WORKERS_MAX }), (all, workers) => {
        const parts = partsWith([], all);
        const loads = distribute(recordOf(), parts, workers, placement);
        const expected = byReceiver([
          ...parts.flatMap(({ mail }) => mail),
          ...parts.flatMap(({ channels }) => channels),
          ...parts.flatMap(({ outboxes }) => outboxes),
        ]);
        const given = new Map<string, number[]>();
        for (const [thread, { frames }] of loads.entries()) {
          for (const receiver of byReceiver(frames).keys()) {
            const [type, name] = receiver.split('/');
            const home = type === 'job' ? homeOfKey(Number(name), workers) : homeOf({ type, key: name }, workers);
            expect(home).toBe(thread);
          }
          byReceiver(frames, given);
        }
        expect(sorted(given)).toEqual(sorted(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('of a frame that is large are packed again in order', () => {
    const ballast = 'x'.repeat(150_000);
    const envelopes = Array.from({ length: 9 }, (_, n) => ({
      ...message({ type: Desk.name, key: 'a' }, n),
      args: [n, ballast],
    }));
    const outboxes = [{ ...packMessages([envelopes[0]])[0], count: 9, body: packedWhole(envelopes) }];
    const loads = distribute(recordOf(), [{ units: [], mail: [], channels: [], outboxes }], 2, placement);
    expect(loads[0].frames.length).toBeGreaterThan(1);
    expect(byReceiver(loads[0].frames).get('desk/a')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(loads[0].frames.reduce((sum, { count }) => sum + count, 0)).toBe(9);
  });

  it('as columns stay columns', () => {
    const columns = ['id', 'name'];
    const values = [1, 2, 3].map((id) => ({ id, name: `n${id}` }));
    const batch: Batch = { task: 'job', keys: [1, 2, 3], values, columns };
    const part = readPart(writePart((writer) => writer.batch(batch)).bytes);
    const frames = distribute(recordOf(), [part], WORKERS_MAX, placement).flatMap((load) => load.frames);
    expect(new Set(frames.map(({ codec }) => codec))).toEqual(new Set(['columns']));
    expect(frames.flatMap((frame) => unpackBatch(frame).values).sort((a, b) => idOf(a) - idOf(b))).toEqual(values);
  });

  it('keep who waits for the answer', () => {
    const asked = { ...message({ type: Mover.name, key: 'a' }, 1), reply: { ask: 5, term: 6 } };
    const part = readPart(writePart((writer) => writer.mail(asked)).bytes);
    const [frame] = distribute(recordOf(), [part], 1, placement)[1].frames;
    expect(unpackMessages(frame)).toEqual([asked]);
  });

  it('C18: that answer an earlier process are dropped, and nothing else of their frame', () => {
    const answer = message({ type: 'tidemark:answer', key: '7' }, 0);
    const to = { type: Desk.name, key: 'a' };
    const part = readPart(
      writePart((writer) => {
        writer.mail(answer);
        writer.channel(packMessages([message(to, 1), answer, message(to, 2)])[0], 1);
        writer.outbox(packMessages([answer])[0], 0);
      }).bytes,
    );
    const loads = distribute(recordOf(), [part], 2, placement);
    expect(loads.map(({ frames }) => sorted(byReceiver(frames)))).toEqual([[['desk/a', [1, 2]]], [], []]);
  });
});

describe('a program that is not the one that wrote the checkpoint', () => {
  const unit = (type: string) => (writer: PartWriter) => writer.unit(type, 'a', '', null, 0);
  const given = (write: (writer: PartWriter) => void, definitions: Record<string, number> = {}): unknown => {
    const part = readPart(writePart(write).bytes);
    return distribute(recordOf({ position: 9, definitions }), [part], 2, placement);
  };
  const unclaimed = (names: string): object =>
    expect.objectContaining({
      code: 'STATE_UNCLAIMED',
      message: expect.stringContaining(`checkpoint 9 holds state of ${names}, which this program does not define`),
    });

  it('STATE_UNCLAIMED: state that nobody claims, all of it named', () => {
    const write = (writer: PartWriter): void =>
      ['gone', Mover.name, 'gone', 'lost'].forEach((type) => unit(type)(writer));
    expect(() => given(write)).toThrow(unclaimed("'gone', 'lost'"));
  });

  it('STATE_UNCLAIMED: messages to what is no more, and records for a task that is no more', () => {
    const envelope = message({ type: 'gone', key: 'a' }, 1);
    const batch: Batch = { task: 'gone', keys: [1], values: [1], columns: null };
    for (const write of [
      (writer: PartWriter): void => writer.mail(envelope),
      (writer: PartWriter): void => writer.channel(packMessages([envelope])[0], 1),
      (writer: PartWriter): void => writer.outbox(packMessages([envelope])[0], 1),
      (writer: PartWriter): void => writer.batch(batch),
      (writer: PartWriter): void => writer.outbox(packBatch(batch), 1),
    ]) {
      expect(() => given(write)).toThrow(unclaimed("'gone'"));
    }
  });

  it('CHECKPOINT_INCOMPATIBLE: another version of a definition, of state or of messages', () => {
    const told = expect.objectContaining({
      code: 'CHECKPOINT_INCOMPATIBLE',
      message: expect.stringContaining("checkpoint 9 holds state of 'mover' version 1; this program defines version 2"),
    });
    expect(() => given(unit(Mover.name), { mover: 1 })).toThrow(told);
    expect(() => given((writer) => writer.mail(message({ type: Mover.name, key: 'a' }, 1)), { mover: 1 })).toThrow(
      told,
    );
  });

  it('is good enough when what it changed or left out has nothing in the checkpoint', () => {
    expect(() => given(unit(Mover.name), { mover: 2, desk: 7, gone: 1 })).not.toThrow();
    expect(() => given(unit('job'), {})).not.toThrow();
  });
});

/** One frame of messages, however large: as another setting of the limits would have packed it. */
function packedWhole(envelopes: readonly Envelope[]): Uint8Array {
  const wire = envelopes.map(({ type, key: name, handler, args }) => [type, name, handler, args]);
  return encodeValue(wire);
}

function idOf(value: unknown): number {
  return (value as { readonly id: number }).id;
}
