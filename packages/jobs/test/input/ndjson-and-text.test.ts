import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndjsonParser } from '../../src/input/ndjson-parser.ts';
import { textParser } from '../../src/input/text-parser.ts';
import { parseChunked, parseWhole } from './parsing.ts';

const cut = fc.record({ chunkBytes: fc.integer({ min: 1, max: 200 }), rowsMax: fc.integer({ min: 1, max: 20 }) });
const lineEnds = fc.constantFrom('\n', '\r\n');

describe('NDJSON', () => {
  it('gives any values back, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        lineEnds,
        fc.boolean(),
        cut,
        (values, lineEnd, ended, { chunkBytes, rowsMax }) => {
          const lines = values.map((value) => JSON.stringify(value)).join(lineEnd) + (ended ? lineEnd : '');
          const expected = { rows: JSON.parse(JSON.stringify(values)) as unknown, bad: [] };
          expect(parseWhole(ndjsonParser(), lines)).toEqual(expected);
          expect(parseChunked(ndjsonParser(), lines, chunkBytes, rowsMax)).toEqual(expected);
        },
      ),
    );
  });

  it('sets lines aside that are no JSON', () => {
    const { rows, bad } = parseWhole(ndjsonParser(), '{"a":1}\n  \r\n{"é":1 "b":2}\n[1,\nnull\n');
    expect(rows).toEqual([{ a: 1 }, null]);
    expect(bad).toEqual([
      { offset: 12, column: 8, reason: expect.stringContaining('JSON'), text: '{"é":1 "b":2}' },
      { offset: 27, column: 4, reason: expect.stringContaining('JSON'), text: '[1,' },
    ]);
  });
});

describe('text', () => {
  it('gives lines back, however the bytes are cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', '"', 'é', '🛫', '\t'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(line), lineEnds, cut, (lines, lineEnd, { chunkBytes, rowsMax }) => {
        const text = lines.map((each) => each + lineEnd).join('');
        expect(parseWhole(textParser(), text)).toEqual({ rows: lines, bad: [] });
        expect(parseChunked(textParser(), text, chunkBytes, rowsMax)).toEqual({ rows: lines, bad: [] });
      }),
    );
  });

  it('takes a last line without a line end, and empty lines', () => {
    expect(parseWhole(textParser(), 'a\n\nb').rows).toEqual(['a', '', 'b']);
  });
});
