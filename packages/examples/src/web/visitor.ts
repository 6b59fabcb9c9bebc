import { actor, Refusal } from 'tidemark';

/** A user of the site, by name. Lives on one of the worker threads, and in every checkpoint. */
export const Visitor = actor('visitor', {
  state: () => ({ visits: 0 }),
  on: {
    /** Counts a visit. Who says how many there were before is refused when that is no longer so. */
    visit(ctx, before: number | null) {
      if (before !== null && before !== ctx.state.visits) {
        throw new Refusal('VISITS_DIFFER', `${ctx.key} has ${ctx.state.visits} visits, not ${before}`);
      }
      return ++ctx.state.visits;
    },
    visits: (ctx) => ctx.state.visits,
  },
});
