import { MemoryBudget } from '@tidemark/actors/internal';
import { beforeEach, expect, test } from 'vitest';

let heapBytes: number;
let outsideBytes: number;
let garbage: number;
let collections: number;
let warnings: string[];
let budget: MemoryBudget;

beforeEach(() => {
  [heapBytes, outsideBytes, garbage, collections] = [10e6, 0, 0, 0];
  warnings = [];
  budget = new MemoryBudget({
    bytesMax: 100e6,
    figures: () => ({ heapBytes: heapBytes + garbage, outsideBytes }),
    collect(then) {
      collections++;
      garbage = 0;
      then();
    },
    warn: (code, message) => warnings.push(`${code}: ${message}`),
  });
});

test('MEMORY_SPENT: heap and buffers together are over the budget after a collection; the figures are told', () => {
  [heapBytes, outsideBytes] = [20e6, 81e6];
  const text = 'holds 101.0 MB (heap 20.0 MB, buffers 81.0 MB), more than memoryBytesMax of 100.0 MB';
  expect(() => budget.look()).toThrowError(expect.objectContaining({ code: 'MEMORY_SPENT', message: text }));
  expect(collections).toBe(1);
});

test('what a collection frees counts neither as much nor as too much', () => {
  garbage = 200e6;
  budget.look();
  expect([collections, warnings]).toEqual([1, []]);
});

test('warns once at four fifths, and again after it was less', () => {
  outsideBytes = 75e6;
  for (let look = 0; look < 10; look++) budget.look();
  outsideBytes = 0;
  budget.look();
  outsideBytes = 75e6;
  for (let look = 0; look < 10; look++) budget.look();
  const text =
    'MEMORY_HIGH: holds 85.0 MB (heap 10.0 MB, buffers 75.0 MB); with more than memoryBytesMax of 100.0 MB it is ended and replaced';
  expect(warnings).toEqual([text, text]);
  expect(collections).toBe(2);
});

test('what was warned of and grows is still over the budget', () => {
  outsideBytes = 75e6;
  for (let look = 0; look < 4; look++) budget.look();
  outsideBytes = 95e6;
  expect(() => budget.look()).toThrowError(expect.objectContaining({ code: 'MEMORY_SPENT' }));
});
