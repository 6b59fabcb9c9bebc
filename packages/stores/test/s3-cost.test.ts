import { s3DollarsPerDay } from '@tidemark/stores';
import { expect, test } from 'vitest';

test('requests of five minutes cost 288 times as much in a day', () => {
  const requests = { PutObject: 8, ListObjectsV2: 2, GetObject: 10, DeleteObject: 100 };
  expect(s3DollarsPerDay({ requests }, 300_000)).toBeCloseTo(288 * (10 * 0.000005 + 10 * 0.0000004), 10);
});

test.each([
  ['of another store', { CREATE: 3, RENAME: 1 }, 1_000],
  ['without a request', {}, 1_000],
  ['of no time', { PutObject: 1 }, 0],
])('traffic %s says nothing', (_, requests, ms) => {
  expect(s3DollarsPerDay({ requests }, ms)).toBeNull();
});
