import { actor } from 'tidemark';
import { type Late, takeLate } from './late.ts';

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
    /** How late the timer of this thread was since it was asked last. */
    late: (): Late[] => takeLate(),
  },
});
