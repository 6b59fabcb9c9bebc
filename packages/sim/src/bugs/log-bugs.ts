import {
  type CheckpointRecord,
  decodeRecord,
  encodeRecord,
  Log,
  logName,
  Retention,
} from '@tidemark/checkpoint/internal';
import { CHAINED_BYTES, collecting, type Config } from '../config.ts';
import { JOB } from '../process.ts';
import type { Bug } from './bug.ts';
import { patch } from './patch.ts';

/** Two passes of retention are enough. */
function manyRecords(config: Config): Config {
  return { ...collecting(config), keep: 2, bulk: false };
}

/** Parts that are files. */
function manyFiles(config: Config): Config {
  const many = manyRecords(config);
  return { ...many, bounds: { ...many.bounds, inlineBytesMax: CHAINED_BYTES } };
}

/** Whoever starts thinks that nobody else runs. */
function blind(config: Config): Config {
  return { ...config, machines: 'one', store: 'folder', seenAs: 'dead', swarm: { ...config.swarm, processRate: 0.03 } };
}

/** Mistakes of the owner of a log, and of the store below it: C7–C21 of packages/checkpoint/SPEC.md. */
export const LOG_BUGS: readonly Bug[] = [
  {
    name: 'answers-before-durable',
    what: 'the store says that it stored before it has',
    program: 'bank',
    mode: 'all',
    seed: 1,
    plant: () => ({ planted: { lies: { answerFirst: () => true } } }),
  },
  {
    name: 'never-synced',
    what: 'an answer of the store does not mean that a power cut leaves the object',
    program: 'bank',
    mode: 'crashes',
    tune: blind,
    seed: 4,
    plant: () => ({ planted: { lies: { neverSyncs: true } } }),
  },
  {
    name: 'taken-is-stored',
    what: 'a name that is taken is treated as stored: the fence is ignored',
    program: 'bank',
    mode: 'all',
    tune: blind,
    seed: 1,
    plant: () => ({ planted: { lies: { takenIsStored: () => undefined } } }),
  },
  {
    name: 'conflict-takes-next-position',
    what: 'whoever finds its position taken puts at the next one instead',
    program: 'bank',
    mode: 'all',
    tune: blind,
    seed: 1,
    plant: () => ({
      planted: {
        lies: {
          takenIsStored(disk, name, bytes, by) {
            if (!name.includes('/log/')) return;
            const record = decodeRecord(bytes, name);
            let position = record.position + 1;
            while (disk.has(logName(JOB, position))) position++;
            disk.set(logName(JOB, position), encodeRecord({ ...record, position }), by);
          },
        },
      },
    }),
  },
  {
    name: 'doubt-is-nothing',
    what: 'an outcome that is not known is treated as "nothing was done"',
    program: 'bank',
    mode: 'store',
    seed: 2,
    plant: () => ({ planted: { lies: { doubtIsNothing: true } } }),
  },
  {
    name: 'part-forgotten',
    what: 'a part is acknowledged and not stored',
    program: 'counters',
    mode: 'none',
    tune: manyFiles,
    seed: 1,
    plant: () => ({ planted: { lies: { forgets: (name) => name.includes('/part/') } } }),
  },
  {
    name: 'stale-listing',
    what: 'a listing does not show the newest object yet',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant: () => ({
      planted: { lies: { lists: (names, prefix) => (prefix.endsWith('/log/') ? names.slice(0, -1) : names) } },
    }),
  },
  {
    name: 'released-before-put',
    what: 'a checkpoint is released when its record was sent, not when it is stored',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'put',
        (original) =>
          async function (this: Log, body, term) {
            const position = this.last + 1;
            const put = original.call(this, body, term);
            if (body.kind === 'term') return put;
            put.catch(() => undefined);
            return position;
          },
      ),
    }),
  },
  {
    name: 'no-term-record',
    what: 'a start puts no term record',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'put',
        (original) =>
          async function (this: Log, body, term) {
            return body.kind === 'term' ? this.last : original.call(this, body, term);
          },
      ),
    }),
  },
  {
    name: 'published-without-a-part',
    what: 'a record is put before the last part is there, and does not name it',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'put',
        (original) =>
          async function (this: Log, body, term) {
            const less = body.kind === 'checkpoint' ? { ...body, parts: body.parts.slice(0, -1) } : body;
            return original.call(this, less, term);
          },
      ),
    }),
  },
  {
    name: 'term-reused',
    what: 'a start takes the term of the owner before it',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'put',
        (original) =>
          async function (this: Log, body, term) {
            return original.call(this, body, Math.max(1, term - 1));
          },
      ),
    }),
  },
  {
    name: 'cut-number-reused',
    what: 'a start goes on with the number of the last cut instead of the next one',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'read',
        (original) =>
          async function (this: Log, position) {
            const found = await original.call(this, position);
            if (!found.ok || found.record.kind !== 'checkpoint') return found;
            const record: CheckpointRecord = { ...found.record, cut: found.record.cut - 1 };
            return { ...found, record };
          },
      ),
    }),
  },
  {
    name: 'restores-one-older',
    what: 'a start passes over the newest checkpoint',
    program: 'bank',
    mode: 'crashes',
    seed: 1,
    plant() {
      const newest = new WeakSet<Log>();
      return {
        undo: patch(
          Log.prototype,
          'read',
          (original) =>
            async function (this: Log, position) {
              const found = await original.call(this, position);
              if (!found.ok || found.record.kind !== 'checkpoint' || newest.has(this)) return found;
              newest.add(this);
              // As if it were a term record that goes on from the one before it.
              const before = await original.call(this, position - 1);
              return before.ok && before.record.kind === 'checkpoint' ? { ...before, record: before.record } : found;
            },
        ),
      };
    },
  },
  {
    name: 'collects-before-boundary',
    what: 'old records are removed although no boundary stands',
    program: 'bank',
    mode: 'none',
    tune: manyRecords,
    seed: 1,
    plant: () => ({ planted: { lies: { forgets: (name) => name.includes('/gc/') } } }),
  },
  {
    name: 'collects-one-too-many',
    what: 'the record of the boundary is removed with those below it',
    program: 'bank',
    mode: 'none',
    tune: manyRecords,
    seed: 1,
    plant: () => ({
      planted: {
        lies: {
          deletesToo: (_, name) => (name.includes('/log/') ? [logName(JOB, Number(name.slice(-20)) + 1)] : []),
        },
      },
    }),
  },
  {
    name: 'collects-a-named-part',
    what: 'a part is removed that a kept record names',
    program: 'counters',
    mode: 'none',
    tune: manyFiles,
    seed: 1,
    plant: () => ({
      planted: {
        lies: {
          deletesToo: (disk, name) => (name.includes('/part/') ? disk.names(`${JOB}/part/`).slice(-1) : []),
        },
      },
    }),
  },
  {
    name: 'no-look-for-owner',
    what: 'after a put nobody looks whether a later boundary stands',
    program: 'bank',
    mode: 'all',
    tune: (config) => ({
      ...blind(manyRecords(config)),
      steps: 8_000,
      swarm: { kinds: new Set(['pause', 'slow', 'late']), processRate: 0.004, storeRate: 0.02, aim: null },
    }),
    seed: 4,
    plant: () => ({ undo: patch(Retention.prototype, 'assertOwner', () => async () => undefined) }),
  },
];
