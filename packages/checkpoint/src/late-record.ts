import type { GeneratorOptions } from './generator-options.ts';
import { PUBLISH_LATE_MS, SETTLE_MS } from './limits.ts';

/**
 * Does what puts the record of a cut. No time limit ends that, as its outcome must be known: when it takes long, people hear why no
 * checkpoint comes.
 */
export async function tellingWhenLate<T>(
  { clock, log, store, warn }: Pick<GeneratorOptions, 'clock' | 'log' | 'store' | 'warn'>,
  cut: number,
  put: () => Promise<T>,
): Promise<T> {
  const position = log.last + 1;
  const cancel = clock.after(PUBLISH_LATE_MS, () => {
    warn?.(
      'CHECKPOINT_WAITS',
      `record ${position} of cut ${cut} is on its way to ${store.url} for ${PUBLISH_LATE_MS / 1000} s, and the store does not say whether it has it. ` +
        'The work goes on without new checkpoints, and the store is asked again. Look at the server and the network: ' +
        `after ${SETTLE_MS / 1000} s without a word the run ends, and a new start finds out.`,
    );
  });
  try {
    return await put();
  } finally {
    cancel();
  }
}
