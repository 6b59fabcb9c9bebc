/** Time as the command line needs it, injected so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970, for people only. */
  now(): number;
  /** Milliseconds on a scale that never goes back. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** Calls `run` again and again, and never keeps the process alive; the returned function ends it. */
  every(periodMs: number, run: () => void): () => void;
}
