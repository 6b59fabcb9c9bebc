import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytesOf, pattern, type Rules } from './tools.ts';

const MIB = 1024 * 1024;
const LARGE_MIB = 256;
const MANY = 10_000;
const AT_ONCE = 32;

/** Sizes that take minutes: asked for by `{ large: true }`. */
export const LARGE: Rules = {
  [`large: an object of ${LARGE_MIB} MB is streamed, and comes back whole and in parts`]: async (store) => {
    const block = pattern(MIB);
    const sent = createHash('sha256');
    async function* body() {
      for (let index = 0; index < LARGE_MIB; index++) {
        const chunk = numbered(block, index);
        sent.update(chunk);
        yield chunk;
      }
    }
    await store.put('large', body());
    const whole = await store.get('large');
    assert.equal(whole.byteLength, LARGE_MIB * MIB);
    assert.equal(createHash('sha256').update(whole).digest('hex'), sent.digest('hex'));
    for (const offset of [0, 8 * MIB - 7, 100 * MIB + 1, LARGE_MIB * MIB - 1_000]) {
      const got = await store.get('large', { offset, length: 1_000 });
      assert.ok(Buffer.from(whole.buffer, whole.byteOffset + offset, 1_000).equals(got), `bytes from ${offset}`);
    }
  },

  [`large: ${MANY} objects are listed whole and in order`]: async (store) => {
    const names = Array.from({ length: MANY }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    // In another order than that of their names.
    const left = names.map((_, index) => names[(index * 7_919) % MANY] ?? '');
    const writer = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await store.put(name, bytesOf(name));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, writer));
    assert.deepEqual(await store.list('many/'), names);
    assert.deepEqual(await store.list('many/00'), names.slice(0, MANY / 10));
    assert.deepEqual(await store.list('', { after: names[MANY - 3] ?? '' }), names.slice(-2));
  },
};

function numbered(block: Uint8Array, index: number): Uint8Array {
  const chunk = Uint8Array.from(block);
  new DataView(chunk.buffer).setUint32(0, index);
  return chunk;
}
