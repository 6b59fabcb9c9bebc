import { limits } from '@tidemark/checkpoint/internal';
import type { Chance } from '@tidemark/actors/testing/internal';
import { type Pair, pairsOf } from './coverage.ts';
import { DAMAGES, type FaultKind, PROCESS_FAULTS, STORE_FAULTS, type Swarm } from './faults.ts';
import type { Program } from './programs/program.ts';

/** What one seed simulates, but for the order of things. All of it is drawn from the seed. */
export interface Config {
  readonly lookMs: number;
  readonly scheduleMs: number;
  readonly tickMs: number;
  /** Steps with faults; afterwards the world must come to rest. */
  readonly steps: number;
  readonly workersMax: number;
  readonly keep: number;
  /** So low, in many seeds, that small programs have parts that are files, and retention that passes. */
  readonly bounds: { readonly inlineBytesMax: number; readonly recordsPerPass: number };
  /** A read of a job's input takes at most so many looks at the clock: the input lasts for a short run or for a long one. */
  readonly readLooks: number;
  /** Bytes that it brings at most: rows come in pieces, and splits in several turns. */
  readonly readBytesMax: number;
  /** Some messages are large: windows fill, outboxes stay unposted, parts become files. */
  readonly heavy: boolean;
  /** One state is large: its thread's part is always a file. */
  readonly bulk: boolean;
  /** Processes of this job start on other machines: only the counter in `owner.json` tells whether one lives. */
  readonly machines: 'one' | 'many';
  /** A power cut takes from a folder what was not yet synced, and what was under way; a remote store has its own power. */
  readonly store: 'folder' | 'remote';
  /** How a living process looks to others on its machine; wrongly dead, only fencing protects. */
  readonly seenAs: 'it is' | 'dead';
  readonly swarm: Swarm;
}

/** Which faults a whole run of seeds may use. In `damage`, all of them, and stored bytes go wrong, too. */
export const MODES = ['none', 'crashes', 'store', 'all', 'damage'] as const;
export type Mode = (typeof MODES)[number];

const CRASHES: readonly FaultKind[] = ['crash', 'worker-death', 'stop', 'clock-jump', 'power-cut'];

export function drawConfig(chance: Chance, program: Program['kind'], mode: Mode, steps: number): Config {
  const lookMs = chance.pick([0.1, 0.5, 1, 1, 4]);
  const fast = chance.isTrue(0.3);
  const machines = chance.isTrue(0.25) ? 'many' : 'one';
  const drawn: Config = {
    lookMs,
    scheduleMs: Math.max(10, Math.round(lookMs * (fast ? 12 : chance.pick([30, 60, 150])))),
    tickMs: Math.max(1, lookMs * chance.pick([8, 15, 40])),
    steps: fast ? steps * chance.pick([1, 1, 2]) : steps,
    workersMax: fast ? chance.pick([1, 1, 2]) : chance.pick([1, 2, 3]),
    keep: chance.pick(fast ? [1, 2, 4] : [1, 2, 4, 10]),
    bounds: {
      inlineBytesMax: chance.pick([limits.INLINE_BYTES_MAX, 1_000, CHAINED_BYTES, CHAINED_BYTES]),
      recordsPerPass: chance.pick([limits.RECORDS_PER_PASS, 20, 6, 3]),
    },
    readLooks: chance.pick([20, 60, 200]),
    readBytesMax: chance.pick([Number.POSITIVE_INFINITY, 30, 20]),
    heavy: chance.isTrue(0.2),
    bulk: chance.isTrue(fast ? 0.3 : 0.1),
    machines,
    store: machines === 'one' && chance.isTrue(0.6) ? 'folder' : 'remote',
    seenAs: chance.isTrue(0.6) ? 'dead' : 'it is',
    swarm: drawSwarm(chance, mode),
  };
  if (mode !== 'all' || !chance.isTrue(AIMING_SHARE)) return drawn;
  return aimedAt(chance.pick(pairsOf(program)), drawn);
}

/** Every part is a file, and may begin a chain. */
export const CHAINED_BYTES = 64;

/** Share of the seeds that aim at one pair of fault and step, so that each pair is met often. */
const AIMING_SHARE = 0.7;

/** Retention passes again and again. */
export function collecting(config: Config): Config {
  return {
    ...config,
    scheduleMs: Math.max(10, Math.round(config.lookMs * 12)),
    keep: Math.min(config.keep, 2),
    bounds: { ...config.bounds, recordsPerPass: 3 },
  };
}

function drawSwarm(chance: Chance, mode: Mode): Swarm {
  const kinds = new Set(allowed(mode).filter(() => chance.isTrue(0.5)));
  const processRate = chance.pick([0, 0.002, 0.005, 0.015]);
  const storeRate = chance.pick([0, 0.01, 0.05, 0.15]);
  if (mode !== 'damage') return { kinds, processRate, storeRate, aim: null };
  // Whether damage matters, only a start finds out.
  const few = [...kinds].filter(() => chance.isTrue(0.3));
  return {
    kinds: new Set([...DAMAGES, 'crash', ...few]),
    processRate: chance.pick([0.01, 0.03]),
    storeRate: chance.pick([0, 0, storeRate]),
    aim: null,
  };
}

function allowed(mode: Mode): readonly FaultKind[] {
  switch (mode) {
    case 'none':
      return [];
    case 'crashes':
      return CRASHES;
    case 'store':
      return STORE_FAULTS;
    case 'all':
    case 'damage':
      return [...PROCESS_FAULTS, ...STORE_FAULTS];
  }
}

/** What brings a program to a step. */
const HELPERS: ReadonlyMap<string, FaultKind> = new Map([
  ['stops', 'stop'],
  ['rolls back', 'worker-death'],
  ['get batch', 'answer-lost'],
]);

/** Makes the step come often, and other faults seldom. */
export function aimedAt(aim: Pair, config: Config): Config {
  const { swarm, bounds } = config;
  const kinds = new Set([...swarm.kinds, aim.kind]);
  let { processRate } = swarm;
  // A batch is read only where a put of it was in doubt.
  const storeRate = aim.at === 'get batch' ? 0.3 : swarm.storeRate / 2;
  let more = config;
  if (/part/.test(aim.at)) more = { ...more, bounds: { ...bounds, inlineBytesMax: CHAINED_BYTES } };
  if (/boundary|collects|delete|list part/.test(aim.at)) more = collecting(more);
  if (/begins|reads log|term|loads|^get|list log|owner/.test(aim.at)) {
    kinds.add('crash');
    processRate = Math.max(processRate, 0.01);
  }
  const helper = HELPERS.get(aim.at);
  if (helper !== undefined) {
    kinds.clear();
    for (const kind of [aim.kind, helper]) kinds.add(kind);
    processRate = 0.04;
  }
  return { ...more, swarm: { kinds, processRate, storeRate, aim } };
}
