import type { Progress, RunEvent } from '@tidemark/jobs/internal';
import type { Clock } from './clock.ts';
import { LIVE_LINE_MS, PLAIN_LINE_MS } from './limits.ts';
import type { Figures } from './live-line.ts';
import { figureTexts, lineText } from './live-line.ts';
import { RowRate } from './row-rate.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far the run is: a live line on a terminal, else a plain line now and then. */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #paint: (text: string) => string;
  readonly #rate = new RowRate();
  #job = '';
  #checkpoint: Figures['checkpoint'] = null;
  #progress: (() => Progress) | null = null;
  #last = '';
  #end: () => void = () => {};

  constructor(terminal: Terminal, clock: Clock, paint: (text: string) => string) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#paint = paint;
  }

  event(event: RunEvent): void {
    if (event.event === 'started') this.#job = event.job;
    if (event.event === 'checkpoint') this.#checkpoint = event;
  }

  watch(progress: () => Progress): void {
    this.#progress = progress;
    const period = this.#terminal.isTTY ? LIVE_LINE_MS : PLAIN_LINE_MS;
    this.#end = this.#clock.every(period, () => this.#show());
    if (this.#terminal.isTTY) this.#show();
    else this.#rate.sample(this.#clock.monotonic(), progress().rows);
  }

  close(): void {
    this.#end();
    this.#progress = null;
    this.#terminal.clear();
  }

  #show(): void {
    const progress = this.#progress?.();
    if (progress === undefined) return;
    const rowsPerSecond = this.#rate.sample(this.#clock.monotonic(), progress.rows);
    const texts = figureTexts({ job: this.#job, progress, rowsPerSecond, checkpoint: this.#checkpoint });
    const line = lineText(texts, this.#terminal.isTTY ? this.#terminal.columns : Number.POSITIVE_INFINITY);
    if (this.#terminal.isTTY) return this.#terminal.draw(this.#paint(line));
    // A job that waits for input would fill a log with the same line.
    if (line !== this.#last) this.#terminal.line(line);
    this.#last = line;
  }
}
