import { decodeRecord, encodeRecord, type LogRecord } from '@tidemark/checkpoint/internal';
import { expect, test } from 'vitest';
import { recordOf, termOf } from './support/records.ts';

const part = { thread: 1, length: 3, sha256: 'ff', path: 'part/1-1-1-x' };

test.each<[string, LogRecord]>([
  ['a term record', termOf({ from: 7 })],
  ['a checkpoint record', recordOf({ parts: [part, { thread: 0, length: 1, sha256: 'aa', inline: 'AA==' }], releases: true })],
  ['names and app data in any script', recordOf({ job: 'main', app: { text: 'é😀\n"', list: [1, null] }, definitions: { konto: 2 } })],
])('%s is read as it was written', (_, record) => {
  expect(decodeRecord(encodeRecord(record), 'name')).toEqual(record);
});

test('a record is one line of JSON and its sha256, for people with a shell', () => {
  const [json, hash, end, ...more] = Buffer.from(encodeRecord(recordOf())).toString().split('\n');
  expect(JSON.parse(json)).toEqual(recordOf());
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect([end, more]).toEqual(['', []]);
});

test.each([0, 1, 65, 66])('CHECKPOINT_DAMAGED: %d bytes are no record', (length) => {
  expect(() => decodeRecord(new Uint8Array(length), 'name')).toThrow(
    expect.objectContaining({ code: 'CHECKPOINT_DAMAGED', message: `name: the sha256 at its end does not fit its ${length} bytes` }),
  );
});

test('CHECKPOINT_INCOMPATIBLE: a whole record of another format', () => {
  expect(() => decodeRecord(encodeRecord(recordOf({ format: 2 })), 'name')).toThrow(
    expect.objectContaining({ code: 'CHECKPOINT_INCOMPATIBLE', message: expect.stringContaining('has format 2; this version of Tidemark reads format 1') }),
  );
});
