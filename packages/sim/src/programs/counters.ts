import { actor, table } from '@tidemark/actors';
import { messagesTo, unitsOf } from './contents.ts';
import { drive } from './driver.ts';
import { checkGate, newGate, passGate, ticksIn } from './gate.ts';
import type { ActorProgram } from './program.ts';

const COUNTERS = 5;
const ROWS = 40;
const BALLAST_CHARS = 20_000;

/** Numbers every increment and hands it on. */
const Desk = actor('sim.desk', {
  place: 'host',
  state: () => newGate(),
  on: {
    tick(ctx, term: number, n: number, told: number, heavy: boolean, bulk: boolean): void {
      passGate(ctx.state, { term, n, told }, bulk);
      const seed = mixed(ctx.state.all);
      ctx.tell(ctx.ref(Counter, String(seed % COUNTERS))).add(seed, heavy, 3);
    },
  },
});

interface Row {
  count: number;
  ballast: string;
}

/** Counts by key in a table. Each row is a unit of its own, so a cut that takes them at different instants shows. */
const Counter = actor('sim.counter', {
  state: () => ({ applied: 0, retired: 0, passed: 0, rows: table<number, Row>() }),
  on: {
    add(ctx, seed: number, heavy: boolean, hops: number): void {
      const { state } = ctx;
      const key = (seed >>> 4) % ROWS;
      state.applied++;
      const ballast = heavy ? 'y'.repeat((seed >>> 6) % BALLAST_CHARS) : '';
      state.rows.update(
        key,
        (row) => void row.count++,
        () => ({ count: 0, ballast }),
      );
      // Rows come and go: units that were not there at the cut, and such that are there no longer.
      if (seed % 7 === 0) {
        const old = (seed >>> 9) % ROWS;
        state.retired += state.rows.get(old)?.count ?? 0;
        state.rows.delete(old);
      }
      if (seed % 11 === 0) {
        const other = (seed >>> 13) % ROWS;
        const row = state.rows.get(other);
        state.retired += row?.count ?? 0;
        state.rows.set(other, { count: 0, ballast: '' });
      }
      if (hops === 0) return;
      state.passed++;
      const next = mixed(seed);
      ctx.tell(ctx.ref(Counter, String(next % COUNTERS))).add(next, heavy, hops - 1);
    },
    read(_ctx, nonce: number): number {
      return nonce;
    },
  },
});

/** Increments to rows of tables: each is counted once, in a row, in what was retired, or still on its way. */
export const counters: ActorProgram = {
  kind: 'actors',
  name: 'counters',
  start(host) {
    const { border, term, chance } = host;
    drive(host, {
      tick: (n, told) =>
        border
          .tell<typeof Desk>({ type: Desk.name, key: 'only' })
          .tick(term, n, told, host.heavy && chance.isTrue(0.3), host.bulk),
      ask: (nonce) =>
        border.ask<typeof Counter>({ type: Counter.name, key: String(chance.below(COUNTERS)) }).read(nonce),
    });
  },
  check(parts) {
    const sent = checkGate(parts, Desk.name);
    const units = unitsOf(parts, Counter.name);
    let applied = 0;
    let passed = 0;
    for (const { key, value } of units.filter(({ table: name }) => name === '')) {
      const state = value as { applied: number; retired: number; passed: number };
      const rows = units.filter((unit) => unit.key === key && unit.table === 'rows');
      const counted = rows.reduce((sum, row) => sum + (row.value as Row).count, 0);
      if (counted + state.retired !== state.applied) {
        throw new Error(
          `counter ${key}: ${counted} in ${rows.length} rows and ${state.retired} retired, of ${state.applied} applied`,
        );
      }
      applied += state.applied;
      passed += state.passed;
    }
    const moving = messagesTo(parts, Counter.name, 'add').length;
    if (applied + moving === sent + passed) return;
    throw new Error(
      `${applied} increments applied and ${moving} on their way, of ${sent} sent and ${passed} passed on`,
    );
  },
  ticksIn: (parts) => ticksIn(parts, Desk.name),
};

function mixed(n: number): number {
  return (Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) >>> 3) ^ 0x2f5a;
}
