import { join } from 'node:path';
import { homeOfGroup, keyGroup } from '@tidemark/actors/internal';
import { createSystem, type EngineEvent, type System } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Account, ACCOUNTS, INJECTED, OPENING, type WayToDie } from '../fixtures/bank.mjs';
import { Chance } from '@tidemark/actors/testing/internal';
import { countMoney, totalOf } from '../support/money.ts';
import { storedCheckpoints } from '../support/stored.ts';
import { Systems } from '../support/systems.ts';
import { SEED, shareOf, TIMEOUT_MS } from './share.ts';

/** Ways to die, with the codes that the host hears. */
const WAYS: Readonly<Record<WayToDie, readonly string[]>> = {
  throw: ['TURN_THREW'],
  'throw in a timer': ['WORKER_LOST'],
  rejection: ['WORKER_LOST'],
  exit: ['WORKER_LOST'],
  'exit in a timer': ['WORKER_LOST'],
  'exit and a failed start': ['WORKER_LOST'],
  // Where the collector takes longer than the watchdog waits, that is what ends it.
  memory: ['WORKER_LOST', 'WORKER_STUCK'],
  loop: ['WORKER_STUCK'],
};

/** Generations that are begun until one runs, at least; one when not named. Each counts until there is a new checkpoint. */
const TRIES: Readonly<Partial<Record<WayToDie, number>>> = { 'exit and a failed start': 2 };

const WORKERS = 3;
const WATCHDOG_MS = 1_000;

/** Deaths in one system, and so in one store whose checkpoints are all read. */
const DEATHS_PER_SYSTEM = 50;

type RolledBack = Extract<EngineEvent, { readonly kind: 'rolled-back' }>;

type Death = Pick<RolledBack, 'code' | 'durationMs'> & {
  /** Generations that were begun until one ran. */
  readonly tries: number;
};

/** The bank under load, with so many deaths of each kind, in an order and at workers that the seed chooses: a hundred when proving. */
export function deaths(): void {
  const each = shareOf(100);
  const systems = new Systems();
  const chance = new Chance(SEED);
  const planned = shuffled(
    (Object.keys(WAYS) as WayToDie[]).flatMap((way) => Array.from({ length: each }, () => way)),
    chance,
  );
  const stood = new Map<WayToDie, number[]>();

  describe(`threads that die under load, seed ${SEED}`, () => {
    for (let first = 0; first < planned.length; first += DEATHS_PER_SYSTEM) {
      const ways = planned.slice(first, first + DEATHS_PER_SYSTEM);
      test(
        `${ways.length} deaths: the system goes on after each, and no money is lost or made in any checkpoint`,
        async () => {
          const store = await systems.folder();
          const bank = new Bank(store);
          await bank.open();
          for (const [round, way] of ways.entries()) {
            const worker = 1 + chance.below(WORKERS);
            const { code, durationMs, tries } = await bank.dieBy(way, `${store}/death-${round}`, worker);
            expect(WAYS[way], `round ${round}, ${way}`).toContain(code);
            expect(tries, `round ${round}, ${way}`).toBeGreaterThanOrEqual(TRIES[way] ?? 1);
            stood.set(way, [...(stood.get(way) ?? []), durationMs]);
          }
          await bank.close(ways.length);
        },
        TIMEOUT_MS,
      );
    }

    test('all ways were tried', () => {
      for (const [way, times] of stood) {
        const most = Math.max(...times);
        process.stdout.write(
          `${times.length} by ${way}: the system stood still for ${median(times)} ms, at most ${most} ms\n`,
        );
      }
      expect(new Map([...stood].map(([way, times]) => [way, times.length]))).toEqual(
        new Map([...stood.keys()].map((way) => [way, each])),
      );
      expect(stood.size).toBe(Object.keys(WAYS).length);
    });
  });
}

class Bank {
  readonly #store: string;
  readonly #rollbacks: RolledBack[] = [];
  #system: System | null = null;
  #generation = 1;
  #ready = 0;
  #opened = 0;

  constructor(store: string) {
    this.#store = store;
  }

  async open(): Promise<void> {
    const system = await createSystem({
      actors: [new URL('../fixtures/bank.mjs', import.meta.url)],
      store: this.#store,
      workers: WORKERS,
      schedule: '20ms',
      keep: Number.POSITIVE_INFINITY,
      watchdogMs: WATCHDOG_MS,
      resourceLimits: { maxOldGenerationSizeMb: 48 },
      env: { BANK_CLOSED: join(this.#store, 'closed') },
      observe: (event) => {
        if (event.kind === 'rolled-back') this.#rollbacks.push(event);
      },
    });
    system.on('log', () => undefined);
    this.#system = system;
    for (let key = 0; key < ACCOUNTS; key++) await system.tell(system.ref(Account, String(key))).receive(INJECTED);
    await this.#answers();
    this.#ready = (await system.checkpoint()).position;
  }

  /** The thread of that worker dies; resolves when the bank answers again, and has a checkpoint from after it. */
  async dieBy(way: WayToDie, token: string, worker: number): Promise<Death> {
    const system = this.#system!;
    const before = this.#rollbacks.length;
    await system.tell(system.ref(Account, this.#newKeyAt(worker))).die(token, way);
    await vi.waitFor(() => expect(this.#rollbacks.length).toBe(before + 1), { timeout: 30_000, interval: 2 });
    await this.#answers();
    await system.checkpoint();
    const { code, durationMs, generation } = this.#rollbacks[before];
    const tries = generation - this.#generation;
    this.#generation = generation;
    return { code, durationMs, tries };
  }

  async close(died: number): Promise<void> {
    await this.#system!.stop();
    expect(this.#rollbacks.length).toBe(died);
    const checkpoints = (await storedCheckpoints(this.#store)).filter(({ record }) => record.position >= this.#ready);
    expect(checkpoints.length).toBeGreaterThan(died);
    const wrong = checkpoints
      .map(({ record, parts }) => ({ position: record.position, money: countMoney(parts) }))
      // An account that was opened by asking it to die has its opening balance, like any other.
      .filter(({ money }) => totalOf(money) !== money.accounts * OPENING + ACCOUNTS * INJECTED);
    expect(wrong).toEqual([]);
    const turning = checkpoints.map(({ parts }) => countMoney(parts)).filter(({ messages }) => messages > 0);
    expect(turning.length).toBe(checkpoints.length);
  }

  /** An account of its own for each: one that has thrown is run with care from then on, and throws no more rollbacks. */
  #newKeyAt(worker: number): string {
    for (;;) {
      const key = `k${this.#opened++}`;
      if (homeOfGroup(keyGroup('account', key), WORKERS) === worker) return key;
    }
  }

  async #answers(): Promise<void> {
    const system = this.#system!;
    const asks = Array.from({ length: ACCOUNTS }, (_, key) => system.ask(system.ref(Account, String(key))).balance());
    expect(await Promise.all(asks)).toHaveLength(ACCOUNTS);
  }
}

function shuffled<T>(values: readonly T[], chance: Chance): readonly T[] {
  const left = [...values];
  return values.map(() => left.splice(chance.below(left.length), 1)[0]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
