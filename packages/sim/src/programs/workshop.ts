import { service } from '@tidemark/actors';
import type { Chance } from '@tidemark/actors/testing/internal';

/** How a call of the workshop goes: answered at once, when somebody lets it, with an error, or not at all. */
export type Way = 'now' | 'later' | 'fails' | 'never';

/** Calls that wait until somebody lets them go on, in whichever process. Of one world. */
const waiting: (() => void)[] = [];

/** A new world begins. */
export function emptyWorkshop(): void {
  waiting.length = 0;
}

/** Lets one of the calls go on that wait, if there is one. */
export function letOneGo(chance: Chance): void {
  if (waiting.length === 0) return;
  const [go] = waiting.splice(chance.below(waiting.length), 1);
  go();
}

/** Outside work: what it does is no state, and is done at least once. */
export const Workshop = service(
  'sim.workshop',
  {
    async make(ctx, id: number, way: Way): Promise<number> {
      if (way === 'fails') throw Object.assign(new Error('the workshop is closed'), { code: 'CLOSED' });
      if (way === 'now') return id;
      await new Promise<void>((resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(new Error('nobody waits')));
        if (way === 'later') waiting.push(resolve);
      });
      return id;
    },
  },
  { maxConcurrent: 3 },
);
