import { performance, PerformanceObserver } from 'node:perf_hooks';
import { actor, type Table, table } from 'tidemark';

export interface Row {
  readonly id: number;
  count: number;
  readonly text: string;
}

/** What a worker does until it is told to stop. */
export interface Load {
  /** Rows of this actor. */
  readonly rows: number;
  /** Different rows that are changed in a second; 0 only reads. */
  readonly touchedPerSecond: number;
}

interface State {
  readonly rows: Table<number, Row>;
  updates: number;
  seed: number;
  load: Load | null;
  startedAt: number;
}

export interface Told {
  readonly updates: number;
  readonly ms: number;
  /** Longest stretch between two turns, whatever the reason: also where the system gives the core to another thread. */
  readonly longestStallMs: number;
  readonly longestCollectionMs: number;
}

/** Changes in one turn: some hundred microseconds of work. */
const UPDATES_PER_TURN = 256;
/** The rows that are changed move on so often. */
const WINDOW_MS = 100;

let longestCollectionMs = 0;
let longestStallMs = 0;
let lastTurnEnd = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestCollectionMs = Math.max(longestCollectionMs, duration);
}).observe({ entryTypes: ['gc'] });

/** A share of the keys, one actor for each worker. */
export const Keys = actor('bench-keys', {
  state: (): State => ({ rows: table<number, Row>(), updates: 0, seed: 1, load: null, startedAt: 0 }),
  on: {
    fill(ctx, from: number, until: number): void {
      for (let id = from; id < until; id++) {
        const text = `row ${String(id).padStart(8, '0')} of a table whose rows have about a hundred bytes each`;
        ctx.state.rows.set(id, { id, count: 0, text });
      }
    },
    size: (ctx): number => ctx.state.rows.size,
    /** One row, in the first turn after a restore. */
    look: (ctx, id: number): number => ctx.state.rows.get(id)?.count ?? -1,
    start(ctx, load: Load): void {
      Object.assign(ctx.state, { load, updates: 0, startedAt: performance.now() });
      longestCollectionMs = 0;
      longestStallMs = 0;
      lastTurnEnd = performance.now();
      ctx.tell(ctx.ref(Keys, ctx.key)).spin();
    },
    /** Random changes at full speed, and again. */
    spin(ctx): void {
      const { state } = ctx;
      if (state.load === null) return;
      longestStallMs = Math.max(longestStallMs, performance.now() - lastTurnEnd);
      const { rows, touchedPerSecond } = state.load;
      const perWindow = Math.max(1, Math.min(rows, Math.round((touchedPerSecond * WINDOW_MS) / 1000)));
      const first = (Math.floor((performance.now() - state.startedAt) / WINDOW_MS) * perWindow) % rows;
      let { seed } = state;
      for (let i = 0; i < UPDATES_PER_TURN; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        const id = (first + ((seed >>> 4) % perWindow)) % rows;
        if (touchedPerSecond === 0) state.rows.get((seed >>> 4) % rows);
        else state.rows.update(id, increment);
      }
      state.seed = seed;
      state.updates += UPDATES_PER_TURN;
      lastTurnEnd = performance.now();
      ctx.tell(ctx.ref(Keys, ctx.key)).spin();
    },
    die(): void {
      // Ends this thread, not the process.
      process.exit(1);
    },
    stop(ctx): Told {
      const { state } = ctx;
      state.load = null;
      const ms = performance.now() - state.startedAt;
      return { updates: state.updates, ms, longestStallMs, longestCollectionMs };
    },
  },
});

function increment(row: Row): void {
  row.count++;
}
