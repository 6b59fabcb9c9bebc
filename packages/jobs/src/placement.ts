import { type Batch, homeOfGroup, keyGroup, type UnitData } from '@tidemark/actors/internal';
import type { Placement } from '@tidemark/checkpoint/internal';
import { unitUnknown } from './errors.ts';
import type { Key } from './formats.ts';
import { JOB_TASK } from './job-task.ts';
import { homeOfSplit } from './source.ts';

/** Where a job's units and records belong, for any number of workers. */
export function jobPlacement(splits: () => number, keyOf: ((value: unknown) => Key) | null): Placement {
  const homeOf = (key: Key, workers: number): number => homeOfGroup(keyGroup(JOB_TASK, key), workers);
  return {
    knows: (task) => task === JOB_TASK,
    placeUnit(unit, workers) {
      switch (unit.table) {
        case 'splits':
          return homeOfSplit(Number(unit.tableKey), splits(), workers);
        case 'keyed':
          return homeOf(unit.tableKey!, workers);
        // Counters and output belong to no key: they go by the number of the worker that had them.
        case 'counters':
        case 'sink:output':
        case 'sink:bad':
          return 1 + ((formerWorker(unit) - 1) % workers);
        default:
          throw unitUnknown(unit.table);
      }
    },
    splitBatch(batch, workers) {
      const batches = new Map<number, { keys: Key[] | null; values: unknown[] }>();
      for (const [i, value] of batch.values.entries()) {
        const key = batch.keys === null ? keyOf!(value) : batch.keys[i];
        const home = homeOf(key, workers);
        let target = batches.get(home);
        if (target === undefined) batches.set(home, (target = { keys: batch.keys === null ? null : [], values: [] }));
        target.keys?.push(key);
        target.values.push(value);
      }
      return new Map(
        [...batches].map(([home, target]): [number, Batch] => [
          home,
          { task: batch.task, columns: batch.columns, ...target },
        ]),
      );
    },
  };
}

function formerWorker(unit: UnitData): number {
  return unit.table === 'counters' ? Number(unit.key) : Number(String(unit.tableKey).split('/')[0]);
}
