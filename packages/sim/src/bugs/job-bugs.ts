import { Engine } from '@tidemark/checkpoint/internal';
import { FileSink, Source } from '@tidemark/jobs/internal';
import type { Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch, patchGetter } from './patch.ts';

/** Restored again and again, with another number of workers. */
function restoredOften(config: Config): Config {
  return {
    ...config,
    workersMax: 3,
    swarm: { ...config.swarm, kinds: new Set(['crash', 'power-cut']), processRate: 0.05, aim: null },
  };
}

/** The output answers slowly, so that batches wait in checkpoints. */
function slowOutput(config: Config): Config {
  return {
    ...restoredOften(config),
    scheduleMs: Math.max(10, Math.round(config.lookMs * 12)),
    swarm: {
      kinds: new Set(['crash', 'slow', 'late', 'request-lost']),
      processRate: 0.02,
      storeRate: 0.1,
      aim: { kind: 'late', at: 'put batch' },
    },
  };
}

/** Mistakes of a job's sources and of its exactly-once output: J1–J5. */
export const JOB_BUGS: readonly Bug[] = [
  {
    name: 'split-not-captured',
    what: 'a split that is not read during a cut is in no part',
    program: 'job',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        Source.prototype,
        'captureUnits',
        () =>
          function* (): Generator<void, void, void> {
            // Leaves all to the touch.
          },
      ),
    }),
  },
  {
    name: 'position-skipped',
    what: 'a split goes on behind what it had read ahead, not behind what it had brought in',
    program: 'job',
    mode: 'crashes',
    tune: (config) => ({ ...restoredOften(config), readBytesMax: 12, readLooks: 100 }),
    seed: 1,
    plant: () => ({
      undo: patch(
        Source.prototype,
        'load',
        (original) =>
          function (this: Source, index, state) {
            original.call(this, index, state.rows === 0 ? state : { ...state, position: state.end });
          },
      ),
    }),
  },
  {
    name: 'batch-released-before-publish',
    what: 'a batch is put at the flip, not when its record is published',
    program: 'job',
    mode: 'none',
    seed: 1,
    plant() {
      const newest = new WeakMap<FileSink, number>();
      const undo = [
        patch(
          FileSink.prototype,
          'published',
          (original) =>
            function (this: FileSink, cut, position) {
              newest.set(this, position);
              original.call(this, cut, position);
            },
        ),
        patch(
          FileSink.prototype,
          'flip',
          (original) =>
            function (this: FileSink) {
              const names = original.call(this);
              this.published(Number.MAX_SAFE_INTEGER, (newest.get(this) ?? 1) + 1);
              return names;
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'batch-name-not-fixed',
    what: 'a batch that a restart brings back is named after the checkpoint that was restored',
    program: 'job',
    mode: 'all',
    tune: slowOutput,
    seed: 2,
    plant: () => ({
      undo: patch(
        FileSink.prototype,
        'load',
        (original) =>
          function (this: FileSink, chunk, { position }) {
            original.call(this, { ...chunk, position }, { position, namings: [] });
          },
      ),
    }),
  },
  {
    name: 'namings-forgotten',
    what: 'a batch that was sealed for one record and is in the part of the next is named after the second',
    program: 'job',
    mode: 'crashes',
    tune: (config) => ({
      ...config,
      lookMs: 1,
      scheduleMs: 10,
      readLooks: 20,
      workersMax: 3,
      swarm: { kinds: new Set(['crash']), processRate: 0, storeRate: 0, aim: { kind: 'crash', at: 'record stored' } },
    }),
    seed: 3,
    plant: () => ({
      undo: patch(
        FileSink.prototype,
        'load',
        (original) =>
          function (this: FileSink, chunk, restored) {
            original.call(this, chunk, { ...restored, namings: [] });
          },
      ),
    }),
  },
  {
    name: 'batch-dropped-before-durable',
    what: 'the output says that it stored a batch before it has',
    program: 'job',
    mode: 'crashes',
    tune: restoredOften,
    seed: 1,
    plant: () => ({ planted: { lies: { answerFirst: (name) => name.endsWith('.ndjson') } } }),
  },
  {
    name: 'finished-before-applied',
    what: 'the job ends although batches wait',
    program: 'job',
    mode: 'store',
    tune: slowOutput,
    seed: 8,
    plant: () => ({ undo: patchGetter(FileSink.prototype, 'idle', () => true) }),
  },
  {
    name: 'cut-amid-last-word',
    what: 'a cut may begin while the keys say their last word',
    program: 'job',
    mode: 'none',
    tune: (config) => ({ ...config, scheduleMs: 10, workersMax: 3 }),
    seed: 4,
    plant: () => ({
      undo: patch(
        Engine.prototype,
        'withoutCuts',
        () =>
          async function (work) {
            await work();
          },
      ),
    }),
  },
];
