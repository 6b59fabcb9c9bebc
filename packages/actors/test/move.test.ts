import { move, service } from '@tidemark/actors';
import { copyValue } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { Threads } from './support/threads.ts';

const Taker = service('move-taker', {
  size: (_ctx, bytes: Uint8Array, more: string) => bytes.byteLength + more.length,
});

/** What a service returns that keeps it. */
let kept: unknown;
const Giver = service('move-giver', { give: () => kept }, { place: 'host' });
const NOT_PLAIN = { code: 'DATA_NOT_SERIALISABLE' };

let threads: Threads;
beforeEach(() => {
  threads = new Threads(2).go();
});

describe('move', () => {
  test('answers the value itself; of a Buffer the Uint8Array over its memory', () => {
    const bytes = Uint8Array.of(1, 2);
    expect(move(bytes)).toBe(bytes);
    const buffer = Buffer.from(Uint8Array.of(1, 2).buffer);
    expect(move(buffer)).toEqual(Uint8Array.of(1, 2));
    expect(move(buffer).constructor).toBe(Uint8Array);
    expect(move(buffer).buffer).toBe(buffer.buffer);
  });

  test('of no bytes is moved as others are', async () => {
    const asked = threads.askService(Taker).size(move(new Uint8Array(0)), 'ab');
    await threads.runAll();
    expect(await asked).toBe(2);
  });

  const POOLED = new RegExp(`a Buffer of 3 bytes in memory of ${Buffer.poolSize} .* Node's pool`);

  test.each<[string, () => unknown, RegExp]>([
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(4), /a SharedArrayBuffer/],
    ['a view of one', () => new Uint8Array(new SharedArrayBuffer(4)), /a view of a SharedArrayBuffer/],
    ["a Buffer out of Node's pool", () => Buffer.from('abc'), POOLED],
    ['what is no buffer', () => 'abc', /string, which is no buffer/],
    ['null', () => null, /object, which is no buffer/],
    [
      'what was moved before',
      () => {
        const bytes = new Uint8Array(4);
        structuredClone(bytes, { transfer: [bytes.buffer] });
        return bytes;
      },
      /moved before and is empty now/,
    ],
  ])('BUFFER_NOT_MOVABLE: %s', (_, make, message) => {
    expect(() => move(make() as ArrayBuffer)).toThrow(
      expect.objectContaining({ code: 'BUFFER_NOT_MOVABLE', message: expect.stringMatching(message) }),
    );
  });

  test('BUFFER_NOT_MOVABLE: memory of WebAssembly is refused at the call, which leaves it as it is', async () => {
    // The types of Node do not name it.
    const { Memory } = (
      globalThis as unknown as { WebAssembly: { Memory: new (of: object) => { buffer: ArrayBuffer } } }
    ).WebAssembly;
    const { buffer } = new Memory({ initial: 1 });
    const before = buffer.byteLength;
    await expect(threads.askService(Taker).size(move(new Uint8Array(buffer)), '')).rejects.toMatchObject({
      code: 'BUFFER_NOT_MOVABLE',
      message: expect.stringContaining('as that of WebAssembly'),
    });
    expect(buffer.byteLength).toBe(before);
  });

  const bad = (() => 1) as never;
  const over = new Error('over');
  test.each<[string, (bytes: Uint8Array) => Promise<unknown>, object]>([
    ['for an argument behind it', (bytes) => threads.askService(Taker).size(bytes, bad), NOT_PLAIN],
    ['for an argument before it', (bytes) => threads.askService(Taker).size(bad, bytes as never), NOT_PLAIN],
    [
      'for what stands beside it, somewhere inside',
      (bytes) => threads.askService(Taker).size([bad, new Map([['a', { b: new Set([bytes]) }]])] as never, ''),
      NOT_PLAIN,
    ],
    [
      'for one of very many arguments',
      (bytes) => threads.askService(Taker).size([...Array<number>(500_000).fill(0), bytes, bad] as never, ''),
      NOT_PLAIN,
    ],
    [
      'for its signal',
      (bytes) => threads.askService(Taker, { signal: AbortSignal.abort(over) }).size(bytes, ''),
      { message: 'over' },
    ],
    [
      'for its time limit',
      (bytes) => threads.askService(Taker, { timeoutMs: -1 }).size(bytes, ''),
      { code: 'DELAY_INVALID' },
    ],
    [
      'for its requestId',
      (bytes) => threads.askService(Taker, { requestId: 'r' }).size(bytes, ''),
      { code: 'REQUEST_ID_REUSED' },
    ],
    [
      'because the system ends',
      (bytes) => {
        const ending = new Threads(1);
        ending.border.closeEntry(over);
        return ending.askService(Taker).size(bytes, '');
      },
      { message: 'over' },
    ],
  ])('a call that is refused %s leaves the buffer, without its mark', async (_, ask, why) => {
    const bytes = Uint8Array.of(1, 2);
    await expect(ask(move(bytes))).rejects.toMatchObject(why);
    expect(bytes.byteLength).toBe(2);
    const asked = threads.askService(Taker).size(bytes, 'ab');
    await threads.runAll();
    expect([await asked, bytes.byteLength]).toEqual([4, 2]);
  });

  test('a result that is refused leaves the buffer, without its mark', async () => {
    const bytes = Uint8Array.of(1, 2);
    kept = { bad: () => 1, bytes: move(bytes) };
    const result = threads.askService(Giver).give();
    void result.catch(() => undefined);
    await threads.runAll();
    await expect(result).rejects.toMatchObject(NOT_PLAIN);
    kept = bytes;
    const given = threads.askService(Giver).give();
    await threads.runAll();
    expect([await given, bytes.byteLength]).toEqual([Uint8Array.of(1, 2), 2]);
  });

  test('MESSAGE_TOO_LARGE: what is not moved has the bound of a message', async () => {
    const text = 'x'.repeat(10 * 1024 * 1024);
    await expect(threads.askService(Taker).size(move(new Uint8Array(1)), text + text)).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
  });

  test('anywhere but in a call of the app to a service it is a copy', () => {
    const bytes = Uint8Array.of(1, 2);
    const copy = copyValue(move(bytes), 'value');
    expect(copy).toEqual(bytes);
    expect(copy.buffer).not.toBe(bytes.buffer);
  });
});
