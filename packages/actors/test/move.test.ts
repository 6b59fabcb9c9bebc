import { move, service } from '@tidemark/actors';
import { copyValue } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { Threads } from './support/threads.ts';

const Taker = service('move-taker', {
  size: (_ctx, bytes: Uint8Array, more: string) => bytes.byteLength + more.length,
});

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

  test.each<[string, () => unknown, RegExp]>([
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(4), /a SharedArrayBuffer/],
    ['a view of one', () => new Uint8Array(new SharedArrayBuffer(4)), /a view of a SharedArrayBuffer/],
    ["a Buffer out of Node's pool", () => Buffer.from('abc'), /a Buffer of 3 bytes in memory of 8192 .* Node's pool/],
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

  test('a call that is refused for another argument leaves the buffer, without its mark', async () => {
    const bytes = Uint8Array.of(1, 2);
    const refused = threads.askService(Taker).size(move(bytes), (() => 1) as never);
    await expect(refused).rejects.toMatchObject({ code: 'DATA_NOT_SERIALISABLE' });
    expect(bytes.byteLength).toBe(2);
    const asked = threads.askService(Taker).size(bytes, 'ab');
    await threads.runAll();
    expect([await asked, bytes.byteLength]).toEqual([4, 2]);
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
