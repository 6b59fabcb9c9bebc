import { actor } from '@tidemark/actors';

/** Keeps what it is told, in order. */
export const Keeper = actor('keeper', {
  state: () => ({ kept: [] as unknown[] }),
  on: {
    keep(ctx, value: unknown) {
      ctx.state.kept.push(value);
    },
    keepAndShow(ctx, value: unknown) {
      ctx.state.kept.push(value);
      return ctx.state.kept;
    },
    all: (ctx) => ctx.state.kept,
  },
});
