import { homeOfGroup, keyGroup, limits, murmur3 } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('murmur3 is MurmurHash3_x86_32 with seed 0 over UTF-8', () => {
  // Of Austin Appleby's own C++ code.
  test.each([
    ['', 0],
    ['a', 0x3c2569b2],
    ['ab', 0x9bbfd75f],
    ['abc', 0xb3dd93fa],
    ['hello', 0x248bfa47],
    ['hello, world', 0x149bbb7f],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
    ['grüße', 0x54937e4a],
    ['ππππππππ', 0xec72b6e8],
    ['日本語のキー', 0x363275b6],
    ['😀', 0xbeb42efa],
    ['x'.repeat(999), 0x8d77ab3c],
  ])('%s', (text, hash) => {
    expect(murmur3(text)).toBe(hash);
  });

  test('of a text does not depend on what was hashed before', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.string({ unit: 'binary' }), (before, text) => {
        const alone = murmur3(text);
        murmur3(before);
        expect(murmur3(text)).toBe(alone);
      }),
    );
  });
});

describe('a key group', () => {
  // These stand in checkpoints: a change here loses every actor of everybody.
  test.each([
    ['account', 'alice', 434],
    ['account', '0', 0],
    ['job', 7, 36],
  ])('of %s/%s is the same for ever', (type, key, group) => {
    expect(keyGroup(type, key)).toBe(group);
  });

  test('of a number is that of its text', () => {
    expect(keyGroup('job', 7)).toBe(keyGroup('job', '7'));
  });

  test('lies in 0 … 1,023, and names and keys do not run into each other', () => {
    expect(limits.KEY_GROUPS).toBe(1024);
    expect(keyGroup('ab', 'c')).not.toBe(keyGroup('a', 'bc'));
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (type, key) => {
        const group = keyGroup(type, key);
        expect(Number.isInteger(group) && group >= 0 && group < 1024).toBe(true);
      }),
    );
  });
});

test('key groups are spread over workers 1 … n in order, evenly, and leave none out', () => {
  for (let workers = 1; workers <= 64; workers++) {
    const homes = Array.from({ length: limits.KEY_GROUPS }, (_, group) => homeOfGroup(group, workers));
    expect(homes).toEqual(homes.toSorted((a, b) => a - b));
    const sizes = Array.from({ length: workers }, (_, i) => homes.filter((home) => home === i + 1).length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(limits.KEY_GROUPS);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
});
