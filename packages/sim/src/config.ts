import { Chance } from './chance.ts';
import { type FaultKind, PROCESS_FAULTS, STORE_FAULTS, type Swarm } from './faults.ts';

/** What one seed simulates, but for the order of things. All of it is drawn from the seed. */
export interface Config {
  readonly lookMs: number;
  readonly scheduleMs: number;
  readonly tickMs: number;
  /** Steps with faults; afterwards the world must come to rest. */
  readonly steps: number;
  readonly workersMax: number;
  readonly keep: number;
  /** Some messages are large: windows fill, outboxes stay unposted, parts become files. */
  readonly heavy: boolean;
  /** One state is large: its thread's part is always a file. */
  readonly bulk: boolean;
  /** Parts of any size are files, so that they come in chains; else most are small enough for their record. */
  readonly chained: boolean;
  /** Processes of this job start on other machines: only the counter in `owner.json` tells whether one lives. */
  readonly machines: 'one' | 'many';
  /** A power cut takes from a folder what was not yet synced, and what was under way; a remote store has its own power. */
  readonly store: 'folder' | 'remote';
  /** How a living process looks to others on its machine; wrongly dead, only fencing protects. */
  readonly seenAs: 'it is' | 'dead';
  readonly swarm: Swarm;
}

/** Which faults a whole run of seeds may use. */
export type Mode = 'none' | 'crashes' | 'store' | 'all';

const CRASHES: readonly FaultKind[] = ['crash', 'worker-death', 'stop', 'clock-jump', 'power-cut'];

export function drawConfig(chance: Chance, mode: Mode, steps: number): Config {
  const lookMs = chance.pick([0.1, 0.5, 1, 1, 4]);
  // Garbage is collected every 60 records: only a fast schedule comes so far.
  const fast = chance.isTrue(0.3);
  const machines = chance.isTrue(0.25) ? 'many' : 'one';
  const drawn: Config = {
    lookMs,
    scheduleMs: Math.max(10, Math.round(lookMs * (fast ? 12 : chance.pick([30, 60, 150])))),
    tickMs: Math.max(1, lookMs * chance.pick([8, 15, 40])),
    steps: fast ? steps * chance.pick([1, 2, 4]) : steps,
    workersMax: fast ? chance.pick([1, 1, 2]) : chance.pick([1, 2, 3]),
    keep: chance.pick(fast ? [1, 2, 4] : [1, 2, 4, 10]),
    heavy: chance.isTrue(0.2),
    bulk: chance.isTrue(fast ? 0.5 : 0.1),
    machines,
    store: machines === 'one' && chance.isTrue(0.6) ? 'folder' : 'remote',
    seenAs: chance.isTrue(0.6) ? 'dead' : 'it is',
    swarm: drawSwarm(chance, mode),
    chained: false,
  };
  const collecting = chance.isTrue(COLLECTING_SHARE);
  const chained = { ...drawn, chained: chance.isTrue(0.5) };
  return collecting ? manyRecords(chained) : chained;
}

/** Share of seeds in which retention passes several times. */
const COLLECTING_SHARE = 0.1;

/** Many small checkpoints: retention has something to do. */
export function manyRecords(config: Config): Config {
  return {
    ...config,
    lookMs: 1,
    scheduleMs: 12,
    tickMs: 30,
    workersMax: 1,
    heavy: false,
    keep: Math.min(config.keep, 2),
    steps: config.steps * 6,
  };
}

function drawSwarm(chance: Chance, mode: Mode): Swarm {
  const allowed: readonly FaultKind[] =
    mode === 'none'
      ? []
      : mode === 'crashes'
        ? CRASHES
        : mode === 'store'
          ? STORE_FAULTS
          : [...PROCESS_FAULTS, ...STORE_FAULTS];
  const kinds = new Set(allowed.filter(() => chance.isTrue(0.5)));
  return {
    kinds,
    processRate: chance.pick([0, 0.002, 0.005, 0.015]),
    storeRate: chance.pick([0, 0.01, 0.05, 0.15]),
  };
}
