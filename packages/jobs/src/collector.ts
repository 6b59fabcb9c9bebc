import { actor, table } from '@tidemark/actors';
import type { Key } from './formats.ts';

/** Name of the actor on the host that gathers what a job collects. */
export const COLLECTOR = 'tidemark.collected';

/** Gathers what `collect` gives, by key; lives on the host and in every checkpoint. */
export const Collector = actor(COLLECTOR, {
  place: 'host',
  state: () => ({ values: table<Key, { readonly value: unknown }>() }),
  on: {
    put(ctx, key: Key, value: unknown) {
      ctx.state.values.set(key, { value });
    },
    all: (ctx) => [...ctx.state.values.entries()].map(([key, { value }]) => ({ key, value })),
  },
});
