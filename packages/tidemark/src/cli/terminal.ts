/** The part of a Node stream that is used here. */
export interface TextStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Stderr: lines for people, and below them at most one live line.
 *
 * - L1 A line is never written into a live line: the live line goes, the line is written, the next drawing brings the
 *   live line back.
 */
export class Terminal {
  readonly #stream: TextStream;
  #live = '';

  constructor(stream: TextStream) {
    this.#stream = stream;
    // A terminal that was closed must not end a job.
    stream.on('error', () => {});
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number {
    // Some pseudo-terminals say 0.
    return this.#stream.columns || 80;
  }

  line(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  draw(text: string): void {
    if (text === this.#live) return;
    this.#live = text;
    this.#stream.write(`${CLEAR_LINE}${text}`);
  }

  clear(): void {
    if (this.#live === '') return;
    this.#live = '';
    this.#stream.write(CLEAR_LINE);
  }
}

/** Back to the first column, and erase to the end of the line. */
export const CLEAR_LINE = '\r\u001B[K';
