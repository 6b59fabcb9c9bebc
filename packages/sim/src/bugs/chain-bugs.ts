import { CutState, type Frame } from '@tidemark/actors/internal';
import { Chain, PartWriter } from '@tidemark/checkpoint/internal';
import { CHAINED_BYTES, type Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch } from './patch.ts';

/** Every part is a file, and most of them hold what was changed. */
function chained(config: Config): Config {
  return {
    ...config,
    scheduleMs: Math.max(10, Math.round(config.lookMs * 12)),
    bounds: { ...config.bounds, inlineBytesMax: CHAINED_BYTES },
  };
}

/** Parts fail to be stored, and threads die. */
function chainedAmidFaults(config: Config): Config {
  return {
    ...chained(config),
    swarm: {
      kinds: new Set(['refused', 'answer-lost', 'worker-death']),
      processRate: 0.005,
      storeRate: 0.05,
      aim: { kind: 'refused', at: 'put part' },
    },
  };
}

/** Mistakes of parts that hold only what was changed: C22 and C23 of packages/checkpoint/SPEC.md; and of rollbacks. */
export const CHAIN_BUGS: readonly Bug[] = [
  {
    name: 'tombstones-forgotten',
    what: 'a unit that is gone has no tombstone: a restore brings it back',
    program: 'counters',
    mode: 'none',
    tune: chained,
    seed: 1,
    plant: () => ({ undo: patch(PartWriter.prototype, 'gone', () => () => undefined) }),
  },
  {
    name: 'actor-tombstone-forgotten',
    what: 'an actor that has forgotten itself has no tombstone',
    program: 'bank',
    mode: 'none',
    tune: chained,
    seed: 2,
    plant: () => ({
      undo: patch(
        PartWriter.prototype,
        'gone',
        (original) =>
          function (this: PartWriter, type, key, table, tableKey) {
            if (table !== '') original.call(this, type, key, table, tableKey);
          },
      ),
    }),
  },
  {
    name: 'born-units-forgotten',
    what: 'a unit that has come to be is not among those that were changed',
    program: 'counters',
    mode: 'none',
    tune: chained,
    seed: 1,
    plant: () => ({
      undo: patch(
        CutState.prototype,
        'born',
        () =>
          function (this: CutState, unit) {
            unit.changed = this.cut;
            unit.captured = this.cut;
          },
      ),
    }),
  },
  {
    name: 'replaced-not-given',
    what: 'a value that was replaced after the flip, and was to be kept as it was, is in no part',
    program: 'counters',
    mode: 'none',
    tune: chained,
    seed: 1,
    plant: () => ({
      undo: patch(
        CutState.prototype,
        'captureReplaced',
        () =>
          function* (): Generator<void, void, void> {
            // All of it is dropped.
          },
      ),
    }),
  },
  {
    name: 'delta-on-unpublished-base',
    what: 'a file builds on that of an attempt which was not published',
    program: 'counters',
    mode: 'store',
    tune: chainedAmidFaults,
    seed: 1,
    plant() {
      const done = new WeakMap<Chain, number>();
      const undo = [
        patch(
          Chain.prototype,
          'done',
          (original) =>
            function (this: Chain, cut, ...rest) {
              done.set(this, cut);
              original.call(this, cut, ...rest);
            },
        ),
        patch(
          Chain.prototype,
          'next',
          (original) =>
            function (this: Chain, published, changed) {
              return original.call(this, Math.max(published, done.get(this) ?? 0), changed);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'delta-of-newest-interval-only',
    what: 'a file that builds on one further back holds only what was changed since the last',
    program: 'counters',
    mode: 'none',
    tune: chained,
    seed: 1,
    plant: () => ({
      undo: patch(
        Chain.prototype,
        'next',
        (original) =>
          function (this: Chain, published, changed) {
            const next = original.call(this, published, changed);
            return { ...next, changed: next.changed.slice(-1) };
          },
      ),
    }),
  },
  {
    name: 'abandoned-changes-forgotten',
    what: 'what was changed before an attempt that came to nothing is not in the next file',
    program: 'counters',
    mode: 'store',
    tune: chainedAmidFaults,
    seed: 1,
    plant() {
      const before = new WeakMap<Chain, { readonly published: number; readonly changed: unknown }>();
      return {
        undo: patch(
          Chain.prototype,
          'next',
          (original) =>
            function (this: Chain, published, changed) {
              const next = original.call(this, published, changed);
              const last = before.get(this);
              before.set(this, { published, changed });
              if (last === undefined || last.published !== published) return next;
              return { ...next, changed: next.changed.filter((each) => each !== last.changed) };
            },
        ),
      };
    },
  },
  {
    name: 'collects-part-of-a-chain',
    what: 'retention removes the oldest file although the boundary is read from it',
    program: 'counters',
    mode: 'none',
    tune: (config) => ({
      ...chained(config),
      keep: 2,
      bounds: { inlineBytesMax: CHAINED_BYTES, recordsPerPass: 3 },
    }),
    seed: 1,
    plant: () => ({
      planted: {
        lies: {
          deletesToo: (disk, name) => (name.includes('/log/') ? disk.newest(/\/part\//, 1_000).slice(0, 1) : []),
        },
      },
    }),
  },
  {
    name: 'stale-generation-accepted',
    what: 'a message that was on its way before a rollback is delivered after it',
    program: 'bank',
    mode: 'none',
    tune: (config) => ({
      ...config,
      workersMax: 3,
      swarm: { kinds: new Set(['worker-death']), processRate: 0.05, storeRate: 0, aim: null },
    }),
    seed: 2,
    plant() {
      let stale: Frame | null = null;
      return {
        planted: {
          wires: {
            carry(item, post) {
              if (item.kind === 'frame') {
                if (stale !== null && stale.generation < item.generation)
                  post({ ...stale, generation: item.generation });
                stale = structuredClone(item);
              }
              post(item);
            },
          },
        },
      };
    },
  },
];
