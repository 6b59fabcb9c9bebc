import { type LogRecord, Log, logName } from '@tidemark/checkpoint/internal';
import { createHash } from 'node:crypto';
import { CHAINED_BYTES, type Config } from '../config.ts';
import { JOB } from '../process.ts';
import type { Bug } from './bug.ts';
import { patch } from './patch.ts';

/** Parts are files, and much goes wrong. */
function muchDamage(config: Config): Config {
  return {
    ...config,
    keep: 10,
    bounds: { ...config.bounds, inlineBytesMax: CHAINED_BYTES },
    swarm: { kinds: new Set(['bit-flip', 'truncation', 'crash']), processRate: 0.05, storeRate: 0, aim: null },
  };
}

/** Mistakes when stored bytes have gone wrong: C15. */
export const DAMAGE_BUGS: readonly Bug[] = [
  {
    name: 'released-passed-over',
    what: 'a damaged checkpoint is left out although it had released something',
    program: 'job',
    mode: 'damage',
    tune: muchDamage,
    seed: 3,
    plant: () => ({
      undo: patch(
        Log.prototype,
        'read',
        (original) =>
          async function (this: Log, position) {
            const found = await original.call(this, position);
            if (!found.ok || found.record.kind !== 'checkpoint') return found;
            return { ...found, record: { ...found.record, releases: false } };
          },
      ),
    }),
  },
  {
    name: 'damage-passed-over-silently',
    what: 'a damaged checkpoint is left out and nobody is told',
    program: 'bank',
    mode: 'damage',
    tune: muchDamage,
    seed: 2,
    plant: () => ({ planted: { mute: (event) => event.kind === 'warning' } }),
  },
  {
    name: 'record-hash-ignored',
    what: 'a record is believed that does not fit the hash at its end',
    program: 'bank',
    mode: 'damage',
    tune: muchDamage,
    seed: 1,
    plant() {
      const undo = [
        patch(
          Log,
          'open',
          (original) =>
            async function (this: typeof Log, store, job, clock, newId) {
              const log = await original.call(this, store, job, clock, newId);
              stores.set(log, store);
              return log;
            },
        ),
        patch(
          Log.prototype,
          'read',
          (original) =>
            async function (this: Log, position) {
              const found = await original.call(this, position);
              if (found.ok) return found;
              const bytes = await stores.get(this)!.get(logName(JOB, position));
              try {
                const text = Buffer.from(bytes).toString('utf8').split('\n')[0];
                const record = JSON.parse(text) as LogRecord;
                return { ok: true, record, hash: createHash('sha256').update(bytes).digest('hex') };
              } catch {
                return found;
              }
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
];

const stores = new WeakMap<Log, Parameters<typeof Log.open>[0]>();
