/** The actors that are measured. */
import { threadId } from 'node:worker_threads';
import { type Actor, actor, type Ctx, type Ref } from 'tidemark';
import { heapBytes } from './heap.ts';
import { BURST, BURSTS, type Small, small } from './small.ts';

/** Who gets credit. Two actors with refs of each other: one of them is named by what is needed of it, or neither has a type. */
type Creditor = Actor<object, { more(ctx: Ctx<object>): void }>;

/** Counts what it takes, and tells the driver after each burst, as credit. */
export const Sink = actor('sink', {
  state: () => ({ taken: 0, sum: 0, driver: null as Ref<Creditor> | null }),
  on: {
    begin(ctx, driver: Ref<Creditor> | null): void {
      ctx.state.driver = driver;
      ctx.state.taken = 0;
    },
    take(ctx, message: Small): void {
      ctx.state.sum += message.amount;
      if (++ctx.state.taken % BURST === 0 && ctx.state.driver !== null) ctx.tell(ctx.state.driver).more();
    },
    taken: (ctx): number => ctx.state.taken,
    echo: (_ctx, message: Small): Small => message,
    thread: (): number => threadId,
  },
});

/** Sends bursts to a sink, as many as have been taken. */
export const Driver = actor('driver', {
  state: () => ({ to: null as Ref<typeof Sink> | null, unsent: 0, untaken: 0, began: 0, seconds: 0 }),
  on: {
    /** `count` is a multiple of a burst. */
    run(ctx, to: Ref<typeof Sink>, count: number): void {
      Object.assign(ctx.state, { to, unsent: count, untaken: count, began: performance.now(), seconds: 0 });
      ctx.tell(to).begin(ctx.ref(Driver, ctx.key));
      for (let i = 0; i < BURSTS; i++) ctx.tell(ctx.ref(Driver, ctx.key)).burst();
    },
    more(ctx): void {
      ctx.state.untaken -= BURST;
      if (ctx.state.untaken === 0) ctx.state.seconds = (performance.now() - ctx.state.began) / 1000;
      else ctx.tell(ctx.ref(Driver, ctx.key)).burst();
    },
    burst(ctx): void {
      const { state } = ctx;
      if (state.unsent === 0 || state.to === null) return;
      const sink = ctx.tell(state.to);
      for (let i = 0; i < BURST; i++) sink.take(small(state.unsent--));
    },
    /** 0 until all is taken. */
    seconds: (ctx): number => ctx.state.seconds,
    thread: (): number => threadId,
  },
});

export const Tiny = actor('tiny', {
  state: () => ({ n: 0 }),
  on: {
    add(ctx, by: number): void {
      ctx.state.n += by;
    },
  },
});

/** Makes tiny actors by sending to them, some in each turn, and measures the heap of its thread. */
export const Maker = actor('maker', {
  state: () => ({ made: 0 }),
  on: {
    make(ctx, count: number): void {
      const end = Math.min(ctx.state.made + 1_000, count);
      for (; ctx.state.made < end; ctx.state.made++) ctx.tell(ctx.ref(Tiny, String(ctx.state.made))).add(1);
      if (end < count) ctx.tell(ctx.ref(Maker, ctx.key)).make(count);
    },
    made: (ctx): number => ctx.state.made,
    heap: (): number => heapBytes(),
  },
});
