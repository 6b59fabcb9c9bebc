import { RATE_WINDOW_MS } from './limits.ts';

interface Sample {
  readonly atMs: number;
  readonly rows: number;
}

/** Rows a second over the last second, from samples of a counter. */
export class RowRate {
  /** At most one sample older than the window, then those within it. */
  #samples: readonly Sample[] = [];

  /** Takes a sample and answers the rate; 0 while there is only one. */
  sample(atMs: number, rows: number): number {
    const samples = [...this.#samples, { atMs, rows }];
    const young = samples.findIndex((sample) => atMs - sample.atMs < RATE_WINDOW_MS);
    this.#samples = samples.slice(Math.max(0, young - 1));
    const first = this.#samples[0];
    if (first === undefined || first.atMs === atMs) return 0;
    return Math.max(0, ((rows - first.rows) * 1_000) / (atMs - first.atMs));
  }
}
