/** What the worker threads of a system are given, beside their code. */
export interface ThreadSettings {
  /**
   * Environment variables for the workers, by name. They see these and a few that hold no secret (`PATH`, `TZ`, `LANG`,
   * `NODE_ENV`, …), whatever the host's own environment holds.
   *
   * @example { env: { API_URL: process.env.API_URL ?? 'http://localhost:8080' } }
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Bounds of each worker's heap, as `node:worker_threads` has them. Buffers are not in the heap: see `memoryBytesMax`. */
  readonly resourceLimits?: ThreadResourceLimits;
  /** Bytes that each worker's heap and buffers may take together. Looked at four times a second; no bound when not given. */
  readonly memoryBytesMax?: number;
  /**
   * Milliseconds after which a worker that is stuck in one turn is ended and replaced, at the latest; a turn of less than
   * three quarters of it never is. 30,000 when not given, 0 or Infinity for never. Time without a core does not count.
   */
  readonly watchdogMs?: number;
  /**
   * Milliseconds after which a call of a service that was aborted, and still runs, is told by the event `service-hung`. Nothing is
   * ended for it: `system.endWorker` does that. 10,000 when not given, 0 or Infinity for never.
   */
  readonly hungServiceMs?: number;
}

/** Of `node:worker_threads`, each in megabytes. */
export interface ThreadResourceLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly codeRangeSizeMb?: number;
  readonly stackSizeMb?: number;
}
