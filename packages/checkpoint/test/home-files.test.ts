import { actor, table } from '@tidemark/actors';
import {
  decodeValue,
  type Envelope,
  homeOfGroup,
  keyGroup,
  type PackedFrame,
  packMessages,
  unpackMessages,
} from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  distribute,
  homeFiles,
  mergeFiles,
  type PartContent,
  type PartWriter,
  readPart,
} from '@tidemark/checkpoint/internal';
import { describe, expect, test } from 'vitest';
import { fileRef, writePart } from './support/parts.ts';
import { recordOf } from './support/records.ts';

const on = { take: (_ctx: object, _n: number): void => undefined };
const Shelf = actor('home-shelf', { version: 2, state: () => ({ rows: table<number, number>() }), on });
const Desk = actor('home-desk', { place: 'host', state: () => ({ n: 0 }), on });
const NO_TASKS = { knows: () => false, placeUnit: () => 0, splitBatch: () => new Map() };
const NO_MAPPING = { drop: [], rename: {} };
const WORKERS = 2;
const TERM = 3;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

const message = (type: string, key: string, n: number): Envelope => {
  return { type, key, handler: 'take', args: [n], reply: null };
};
const answer = (ask: number, term: number): Envelope => {
  return {
    type: 'tidemark:answer',
    key: '',
    handler: 'answer',
    args: [{ ok: true, value: ask }],
    reply: { ask, term },
  };
};
const homeOf = (key: string): number => homeOfGroup(keyGroup(Shelf.name, key), WORKERS);

/** What a thread of a running system has: units at home, and motion of every kind. */
function written(thread: number): Uint8Array {
  return writePart((writer: PartWriter) => {
    if (thread === 0) writer.unit(Desk.name, 'only', '', null, { n: 7 });
    for (const key of KEYS.filter((each) => thread > 0 && homeOf(each) === thread)) {
      writer.unit(Shelf.name, key, '', null, {});
      for (let row = 0; row < 100; row++) writer.unit(Shelf.name, key, 'rows', row, row * thread);
    }
    const own =
      thread === 0
        ? message(Desk.name, 'only', 1)
        : message(Shelf.name, KEYS.find((key) => homeOf(key) === thread)!, 1);
    writer.mail(own);
    const [channel] = packMessages([
      { ...own, args: [2] },
      ...(thread === 0 ? [answer(1, TERM), answer(2, TERM - 1)] : []),
    ]);
    writer.channel(channel, (thread + 1) % 3);
    const [outbox] = packMessages([...KEYS.map((key) => message(Shelf.name, key, 10 + thread)), answer(3, TERM)]);
    writer.outbox(outbox, 0);
  }).bytes;
}

const files = [0, 1, 2].map(written);
const parts = files.map((bytes): PartContent => mergeFiles([readPart(bytes)]));
const record = (given: Partial<CheckpointRecord> = {}): CheckpointRecord =>
  recordOf({
    term: TERM,
    definitions: { [Shelf.name]: 2, [Desk.name]: 1 },
    parts: files.map((bytes, thread) => fileRef(`part/${thread}`, bytes, thread)),
    ...given,
  });

const messagesIn = (frames: readonly PackedFrame[]): string[] =>
  frames.flatMap((frame) => unpackMessages(frame)).map(({ type, key, args }) => JSON.stringify([type, key, args]));

describe('threads that read their own files', () => {
  test('get what they would have got one by one, and the same messages in the same order', () => {
    const oneByOne = parts.map(({ units, mail, channels, outboxes }) => ({ units, mail, channels, outboxes }));
    const expected = distribute(record(), oneByOne, WORKERS, NO_TASKS, TERM);
    expect(expected.flatMap(({ files: own }) => own)).toEqual([]);
    const loads = distribute(record(), parts, WORKERS, NO_TASKS, TERM);
    for (const [thread, { files: own, units, frames }] of loads.entries()) {
      expect(units).toEqual([]);
      const show = (all: PartContent['units']): unknown[] =>
        all.map(({ type, key, table: name, tableKey, value }) => [type, key, name, tableKey, decodeValue(value)]);
      expect(show(mergeFiles(own.toReversed().map((each) => readPart(each))).units)).toEqual(
        show(expected[thread].units),
      );
      expect(messagesIn(frames)).toEqual(messagesIn(expected[thread].frames));
    }
    // Answers to asks that are still open come back; those of an earlier process do not.
    expect(
      messagesIn(loads[0].frames)
        .filter((text) => text.includes('answer'))
        .map((text) => text.match(/"value":(\d)/)?.[1]),
    ).toEqual(['1', '3', '3', '3']);
  });

  test.each([
    ['there are more workers now', 3, {}],
    ['a definition has another version now', WORKERS, { definitions: { [Shelf.name]: 1, [Desk.name]: 1 } }],
  ])('are not asked to when %s', (_, workers, given) => {
    expect(homeFiles(record(given), parts, workers, NO_TASKS, NO_MAPPING)).toBeNull();
  });

  test('are not asked to when a state has the table no more, or somebody says what becomes of it', () => {
    const bytes = writePart((writer) => writer.unit(Shelf.name, 'a', 'drawers', 1, {})).bytes;
    const changed = [parts[0], mergeFiles([readPart(bytes)]), parts[2]];
    expect(homeFiles(record(), changed, WORKERS, NO_TASKS, NO_MAPPING)).toBeNull();
    const drop = { ...NO_MAPPING, drop: [Desk.name] };
    expect(homeFiles(record(), parts, WORKERS, NO_TASKS, drop)).toBeNull();
    expect(homeFiles(record(), parts, WORKERS, NO_TASKS, NO_MAPPING)).not.toBeNull();
  });

  test('are not asked to when a type is unknown', () => {
    const bytes = writePart((writer) => writer.unit('home-nobody', 'k', '', null, {})).bytes;
    const stranger = [mergeFiles([readPart(bytes)]), parts[1], parts[2]];
    expect(homeFiles(record(), stranger, WORKERS, NO_TASKS, NO_MAPPING)).toBeNull();
  });
});
