import { actor } from 'tidemark';

export type Way = 'throw in a timer' | 'rejection' | 'exit' | 'memory' | 'loop';

/** Each ends its thread, or has it ended. */
const WAYS: Readonly<Record<Way, () => void>> = {
  'throw in a timer': () => {
    setTimeout(() => {
      throw new Error('broken on purpose');
    });
  },
  rejection: () => {
    void Promise.reject(new Error('broken on purpose'));
  },
  exit: () => process.exit(0),
  memory: () => {
    let held: unknown = null;
    for (;;) held = { held, more: [1, 2, 3, 4, 5] };
  },
  loop: () => {
    for (let turns = 0; ; turns++) if (turns < 0) return;
  },
};

/** Says when it dies, by the clock that all threads share, and dies. */
export const Dying = actor('bench.dying', {
  state: () => ({ looks: 0 }),
  on: {
    die(_ctx, way: Way): void {
      console.log(`dying at ${performance.timeOrigin + performance.now()}`);
      WAYS[way]();
    },
    look: (ctx): number => ++ctx.state.looks,
    /** Money that never rests, between all of them. */
    pass(ctx, to: number): void {
      ctx.state.looks++;
      ctx.tell(ctx.ref(Dying, String(to % 64))).pass(to * 7 + 1);
    },
  },
});
