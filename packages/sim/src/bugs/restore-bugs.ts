import { Border, Runtime } from '@tidemark/actors/internal';
import type { Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch } from './patch.ts';

/** Much is on its way, and is restored again and again. */
function restoredOften(config: Config): Config {
  return {
    ...config,
    heavy: true,
    workersMax: 3,
    tickMs: config.lookMs * 4,
    swarm: { ...config.swarm, kinds: new Set(['crash']), processRate: 0.03 },
  };
}

/** Mistakes when a checkpoint is loaded: C17 and C18 of packages/checkpoint/SPEC.md. */
export const RESTORE_BUGS: readonly Bug[] = [
  {
    name: 'motion-order-lost',
    what: 'what was in motion is restored in another order',
    program: 'letters',
    mode: 'crashes',
    tune: restoredOften,
    seed: 2,
    plant: () => ({
      planted: {
        wires: { say: (says) => (says.kind === 'load' ? { ...says, frames: says.frames.toReversed() } : says) },
      },
    }),
  },
  {
    name: 'host-motion-dropped',
    what: 'what was on its way to the host is not restored',
    program: 'counters',
    mode: 'crashes',
    tune: restoredOften,
    seed: 2,
    plant: () => ({
      undo: patch(
        Runtime.prototype,
        'loadFrame',
        (original) =>
          function (this: Runtime, frame) {
            if (this.thread !== 0) original.call(this, frame);
          },
      ),
    }),
  },
  {
    name: 'unit-not-restored',
    what: 'the last unit of a load is left out',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant: () => ({
      planted: {
        wires: { say: (says) => (says.kind === 'load' ? { ...says, units: says.units.slice(0, -1) } : says) },
      },
    }),
  },
  {
    name: 'stale-answer-accepted',
    what: 'an answer to an ask of an earlier process is given to an ask of this one',
    program: 'bank',
    mode: 'crashes',
    tune: (config) => ({ ...config, swarm: { ...config.swarm, kinds: new Set(['crash']), processRate: 0.1 } }),
    seed: 3,
    plant() {
      const runtimes = new WeakMap<Border, Runtime>();
      const undo = [
        patch(
          Border.prototype,
          'use',
          (original) =>
            function (this: Border, runtime) {
              runtimes.set(this, runtime);
              original.call(this, runtime);
            },
        ),
        patch(
          Border.prototype,
          'answered',
          (original) =>
            function (this: Border, ask, term, answer) {
              original.call(this, ask, runtimes.get(this)?.term ?? term, answer);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
];
