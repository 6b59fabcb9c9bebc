/** Time, injected everywhere so that tests and the simulator own it. */
export interface Clock {
  /** Milliseconds since 1970; may jump. For people and schedules only, never for safety. */
  now(): number;
  /** Milliseconds on a scale that never goes back, comparable between the threads of this process. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** Calls `run` once, after the event loop has seen to its ports. */
  soon(run: () => void): void;
  /**
   * Milliseconds that collections of this thread's garbage took between two instants of `monotonic`, known once the event loop
   * has turned. Not there where nothing is collected that anybody could tell.
   */
  collected?(from: number, until: number): number;
  /** Milliseconds that this thread was ready to run so far and the system gave the core to others; 0 where nobody knows. */
  preempted?(): number;
}
