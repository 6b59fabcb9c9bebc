import type { Clock } from '@tidemark/actors/internal';

/**
 * Waits, and no longer than until `ended` is aborted.
 *
 * @throws the reason of `ended`
 */
export function pause(clock: Clock, delayMs: number, ended?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (ended?.aborted === true) return reject(ended.reason as Error);
    const end = (): void => {
      cancel();
      reject(ended?.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      ended?.removeEventListener('abort', end);
      resolve();
    });
    ended?.addEventListener('abort', end, { once: true });
  });
}
