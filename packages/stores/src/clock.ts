/** Time and chance, given from outside, so that tests rule them. All times are in milliseconds. */
export interface Clock {
  /** Never goes back, and says nothing about the time of day. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Resolves after `ms`, or as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`, unless the function that it gives back was called before. */
  after(ms: number, run: () => void): () => void;
}
