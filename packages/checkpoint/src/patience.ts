import type { Clock } from '@tidemark/actors/internal';
import { StoreError } from '@tidemark/stores';
import { START_STORE_DELAY_MS_MAX, START_STORE_MS } from './limits.ts';
import { pause } from './pause.ts';

/** What a start needs to be patient with its store. */
export interface Patience {
  readonly clock: Clock;
  /** Told once, when the first try has failed. */
  readonly warn: (code: string, message: string) => void;
  /** Ends every wait with its reason. */
  readonly ended: AbortSignal;
}

const FIRST_DELAY_MS = 100;

/**
 * Does what a start must do before it runs anything, again and again while the store fails in a way that passes: no
 * handle left, a call that failed or was not answered.
 *
 * @param work may be repeated: it has changed nothing when it throws
 * @throws what `work` throws: at once when trying again cannot help, and when the time is over
 */
export async function patiently<T>(work: () => Promise<T>, { clock, warn, ended }: Patience): Promise<T> {
  const until = clock.monotonic() + START_STORE_MS;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, START_STORE_DELAY_MS_MAX)) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error) || clock.monotonic() + delayMs > until) throw error;
      if (delayMs === FIRST_DELAY_MS)
        warn(error.code, `${error.message} The start tries again, for ${START_STORE_MS / 1000} s at most.`);
    }
    await pause(clock, delayMs, ended);
  }
}

/** A full disk does not become empty by waiting. */
function passes(error: unknown): error is StoreError {
  if (!(error instanceof StoreError) || error.code === 'STORE_FULL') return false;
  return error.kind === 'retry' || error.kind === 'lost';
}
