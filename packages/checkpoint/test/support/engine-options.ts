import type { EngineOptions } from '@tidemark/checkpoint/internal';

/** An inline system over a store that a test gives, and whose checkpoints it asks for; but for what it says otherwise. */
export function engineOptions(given: Partial<EngineOptions> = {}): EngineOptions {
  return {
    modules: [],
    location: 'memory:given',
    job: 'main',
    workers: 2,
    schedule: '1h',
    timezone: undefined,
    keep: 10,
    compression: 'none',
    captureBytesMax: Number.POSITIVE_INFINITY,
    inline: true,
    fresh: false,
    from: null,
    acceptDuplicates: false,
    command: String,
    observe: () => undefined,
    border: null,
    extension: null,
    ...given,
  };
}
