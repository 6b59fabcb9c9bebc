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

/** Of so many calls that wait one goes on, and one more: after a restore all wait anew, and they must not pile up. */
const GOES_ONE_IN = 16;

/** Lets some of the calls go on that wait, if there are any. */
export function letSomeGo(chance: Chance): void {
  for (let count = 1 + Math.floor(waiting.length / GOES_ONE_IN); count > 0 && waiting.length > 0; count--) {
    const [goOn] = waiting.splice(chance.below(waiting.length), 1);
    goOn();
  }
}

/** What a call does before it answers. @throws Error with the code `CLOSED`, or when it is aborted while it waits */
export async function go(way: Way, signal: AbortSignal): Promise<void> {
  if (way === 'fails') throw Object.assign(new Error('the workshop is closed'), { code: 'CLOSED' });
  if (way === 'now') return;
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => {
      const place = waiting.indexOf(resolve);
      if (place >= 0) waiting.splice(place, 1);
      reject(new Error('nobody waits'));
    });
    if (way === 'later') waiting.push(resolve);
  });
}

/** Outside work: what it does is no state, and is done at least once. */
export const Workshop = service(
  'sim.workshop',
  {
    async make(ctx, id: number, way: Way): Promise<number> {
      await go(way, ctx.signal);
      return id;
    },
  },
  { maxConcurrent: 3 },
);
