import { actor } from 'tidemark';

/** Milliseconds between two calls of a timer of this thread that should come each. */
const gaps: number[] = [];
let last = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  gaps.push(now - last - 1);
  last = now;
}, 1);
timer.unref();

/** Small messages that go round without end between the actors of all workers. */
export const Flooded = actor('bench.flooded', {
  state: () => ({ turns: 0 }),
  on: {
    round(ctx, hop: number): void {
      ctx.state.turns++;
      ctx.tell(ctx.ref(Flooded, String((hop * 31 + 7) % 256))).round(hop + 1);
    },
    take(ctx, _n: number): void {
      ctx.state.turns++;
    },
    turns: (ctx): number => ctx.state.turns,
    /** By how much that timer was late since it was asked last. */
    late: (): number[] => gaps.splice(0),
  },
});
