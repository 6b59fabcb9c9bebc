import type { Frame } from '@tidemark/actors/internal';
import { RestorePoint } from '@tidemark/checkpoint/internal';
import type { Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch } from './patch.ts';

const deaths = (config: Config): Config => ({
  ...config,
  workersMax: 3,
  swarm: { kinds: new Set(['worker-death']), processRate: 0.05, storeRate: 0, aim: null },
});

/** Mistakes in going back inside the process: R1–R5 of packages/checkpoint/SPEC.md. */
export const ROLLBACK_BUGS: readonly Bug[] = [
  {
    name: 'rollback-too-far',
    what: 'a rollback goes to an older checkpoint than the newest that was published',
    program: 'bank',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant() {
      let published = 0;
      return {
        undo: patch(
          RestorePoint.prototype,
          'published',
          (original) =>
            function (this: RestorePoint, record) {
              if (published++ % 2 === 0) original.call(this, record);
            },
        ),
      };
    },
  },
  {
    name: 'late-frame-let-in',
    what: 'a frame of the generation before has a way into the next one',
    program: 'letters',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant() {
      let late: Frame | null = null;
      return {
        planted: {
          wires: {
            carry(item, post) {
              if (item.kind === 'frame') {
                if (late !== null && late.generation < item.generation) {
                  post({ ...late, generation: item.generation });
                  late = null;
                }
                late ??= { ...item, body: new Uint8Array(item.body) };
              }
              post(item);
            },
          },
        },
      };
    },
  },
];
