import { Job } from '@tidemark/jobs';
import { registerJob } from '@tidemark/jobs/internal';

/** Where the job's module would be. */
export const JOB_MODULE: URL = new URL('file:///simulated/main.js');

/** What a key has come to. */
export interface Tally {
  nth: number;
  sum: number;
}

/** A line of the output: one for each row, and a last word for each key. */
export type Line = { readonly id: number; readonly nth: number } | { readonly total: number; readonly of: number };

/** Counter of all rows. */
export const ROWS_COUNTER = 'rows';

/** Numbers the rows of each key, and says at the end what they come to. */
export class Main extends Job<string, number, Line, Tally> {
  override initial = (): Tally => ({ nth: 0, sum: 0 });

  override process(key: string, id: number): void {
    const { state } = this;
    state.nth++;
    state.sum += id;
    this.emit(key, { id, nth: state.nth });
    this.collect(key, state.nth);
    this.count(ROWS_COUNTER);
  }

  override onEndOfStream = (key: string): void => {
    const { nth, sum } = this.state;
    this.emit(key, { total: sum, of: nth });
  };
}

registerJob(Main, JOB_MODULE.href);
