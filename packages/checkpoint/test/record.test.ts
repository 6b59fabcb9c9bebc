import { decodeRecord, encodeBoundary, encodeRecord, type LogRecord } from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitFlips, fileRef, inlineRef, sha256, truncations } from './support/parts.ts';
import { recordOf, termOf } from './support/records.ts';

const NAME = 'main/log/00000000000000000002';
const PART = new Uint8Array([1, 2, 3]);
const TERM = termOf({ from: 1, host: 'größer\n', pid: 77 });
const CHECKPOINT = recordOf({
  position: 2,
  previous: sha256(PART),
  cut: 4,
  definitions: { counter: 2 },
  parts: [inlineRef(PART), fileRef('part/1-4-1-00ff', PART, 1)],
  releases: true,
  app: { inputs: ['a.csv'], at: [0, 12.5, null], 'ключ\n': '\u2028' },
  failed: [{ cut: 3, code: 'CHECKPOINT_OVERDUE' }],
});

describe('a record', () => {
  it.each<LogRecord>([TERM, CHECKPOINT])('of kind $kind comes back as it was', (record) => {
    expect(decodeRecord(encodeRecord(record), NAME)).toEqual(record);
  });

  it('comes back whatever the layer above keeps in it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (app) => {
        const record = recordOf({ app });
        const bytes = encodeRecord(record);
        expect(JSON.stringify(decodeRecord(bytes, NAME))).toBe(JSON.stringify(record));
      }),
    );
  });

  it('is one line of JSON and one with the sha256 of the first: a person can check it with sha256sum', () => {
    const [json, hash, ...rest] = new TextDecoder().decode(encodeRecord(CHECKPOINT)).split('\n');
    expect(JSON.parse(json)).toEqual(CHECKPOINT);
    expect(hash).toBe(sha256(new TextEncoder().encode(json)));
    expect(rest).toEqual(['']);
  });
});

describe('damage of a record', () => {
  const damaged = expect.objectContaining({
    code: 'CHECKPOINT_DAMAGED',
    message: expect.stringContaining(`${NAME}: the sha256 at its end does not fit`),
  });

  it.each<LogRecord>([TERM, CHECKPOINT])('of kind $kind: any bit flipped', (record) => {
    for (const { bit, flipped } of bitFlips(encodeRecord(record))) {
      expect(() => decodeRecord(flipped, NAME), `bit ${bit}`).toThrow(damaged);
    }
  });

  it.each<LogRecord>([TERM, CHECKPOINT])('of kind $kind: cut short anywhere', (record) => {
    for (const cut of truncations(encodeRecord(record))) {
      expect(() => decodeRecord(cut, NAME), `${cut.length} bytes`).toThrow(damaged);
    }
  });

  it('something at its end, or twice the same', () => {
    const bytes = encodeRecord(TERM);
    for (const more of [new Uint8Array(1), new TextEncoder().encode('\n'), bytes]) {
      expect(() => decodeRecord(Buffer.concat([bytes, more]), NAME)).toThrow(damaged);
    }
  });
});

describe('a record of another format', () => {
  it.each([0, 4, 10])('%s is whole and cannot be read: CHECKPOINT_INCOMPATIBLE, not damage', (format) => {
    expect(() => decodeRecord(encodeRecord(recordOf({ format })), NAME)).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_INCOMPATIBLE',
        message: `${NAME} has format ${format}; this version of Tidemark reads formats 1 to 3`,
      }),
    );
  });

  it('is not what a boundary is that lies in its place: that is damage', () => {
    const bytes = encodeBoundary({ position: 2, hash: sha256(PART), term: 1, cut: 4 });
    expect(() => decodeRecord(bytes, NAME)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_DAMAGED', message: expect.stringContaining('no record') }),
    );
  });

  it('that is damaged, too, is damage', () => {
    const bytes = encodeRecord(recordOf({ format: 4 }));
    bytes[20] ^= 1;
    expect(() => decodeRecord(bytes, NAME)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_DAMAGED' }));
  });
});
