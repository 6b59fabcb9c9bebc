import { actor } from '@tidemark/actors';

/** In no checkpoint. */
let current = 0;

export const Outside = actor('kit-outside', {
  state: () => ({ sets: 0 }),
  on: {
    set(ctx, value: number): void {
      ctx.state.sets++;
      current = value;
    },
    get: (): number => current,
  },
});
