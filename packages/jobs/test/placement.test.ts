import { encodeValue, type UnitData } from '@tidemark/actors/internal';
import { expect, it } from 'vitest';
import { jobPlacement } from '../dist/placement.js';

const placement = jobPlacement(() => 10, null);
const unit = (table: string, tableKey: string | number, key = ''): UnitData => ({
  type: 'job',
  key,
  table,
  tableKey,
  value: encodeValue(null),
});

it('places every kind of unit of a job, for any number of workers', () => {
  const all = [
    ...Array.from({ length: 10 }, (_, split) => unit('splits', split)),
    ...['LAX', 7].map((key) => unit('keyed', key)),
    unit('counters', 'rows', '5'),
    unit('sink:output', '3/0'),
    unit('sink:bad', '8/1'),
  ];
  for (const workers of [1, 2, 7]) {
    const homes = all.map((each) => placement.placeUnit(each, workers));
    expect(homes.every((home) => home >= 1 && home <= workers)).toBe(true);
  }
  expect(placement.placeUnit(unit('counters', 'rows', '5'), 3)).toBe(2);
});

it('JOB_CHANGED: a kind of unit that it does not know is refused before anything is started', () => {
  expect(() => placement.placeUnit(unit('windows', 'x'), 2)).toThrow(
    expect.objectContaining({
      code: 'JOB_CHANGED',
      message: "the checkpoint holds 'windows', which this version of Tidemark does not know",
    }),
  );
});
