import { checkName, checkPrefix, isNameSegment, NAME_CHARS_MAX, SEGMENT_CHARS_MAX } from '@tidemark/stores/internal';
import * as fc from 'fast-check';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

const accepted = (name: string) => {
  try {
    checkName(name);
    return true;
  } catch {
    return false;
  }
};

test('a name that is accepted never leads out of its folder, whatever its characters', () => {
  const piece = fc.oneof(
    fc.constantFrom('..', '.', '/', '//', '\\', '%2e', '\0', 'tmp', 'a', '~', '-'),
    fc.string(),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const name = pieces.join('');
      if (!accepted(name)) return;
      expect(posix.join('/data', name)).toBe(`/data/${name}`);
      expect(name).toMatch(/^[A-Za-z0-9._/-]+$/);
    }),
    { numRuns: 20_000 },
  );
});

test('every beginning of a name is a prefix', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.nat(), (segments, cut) => {
      const name = segments.join('/');
      if (!accepted(name)) return;
      checkPrefix(name.slice(0, cut % (name.length + 1)));
    }),
  );
});

test('lengths: the longest that is allowed, and one more', () => {
  const segment = 'x'.repeat(SEGMENT_CHARS_MAX);
  expect(isNameSegment(segment)).toBe(true);
  expect(isNameSegment(`${segment}x`)).toBe(false);
  const longest = 'x/'.repeat(NAME_CHARS_MAX / 2 - 1).concat('xx');
  expect(longest.length).toBe(NAME_CHARS_MAX);
  expect(accepted(longest)).toBe(true);
  expect(accepted(`${longest}x`)).toBe(false);
});

test('the temp folder of the store is nobody else’s, but only there and only with that name', () => {
  expect(['tmp', 'tmp/x'].map(accepted)).toEqual([false, false]);
  expect(['tmp1', 'TMP', 'job/tmp', 'job/tmp/x'].map(accepted)).toEqual([true, true, true, true]);
});

test('the refusal shows the name, shortened and escaped, and the rule', () => {
  expect(() => checkName('../x\n')).toThrow(
    expect.objectContaining({
      name: 'StoreError',
      kind: 'fatal',
      code: 'STORE_BAD_NAME',
      message: expect.stringMatching(/^"\.\.\/x\\n" is no name .*Expected segments/),
    }),
  );
  expect(() => checkName('/'.repeat(10_000))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{0,600}$/) }),
  );
});
