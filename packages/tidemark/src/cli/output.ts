import type { TextStream } from './terminal.ts';

/**
 * Stdout: what a program or a person asked for. When its reader has gone (`| head`), the job goes on: what it does
 * is in its store and its output, and a broken log pipe must not stop it.
 */
export class Output {
  readonly #stream: TextStream;
  #isOpen = true;

  constructor(stream: TextStream, onClosed: (reason: string) => void) {
    this.#stream = stream;
    stream.on('error', (error) => {
      if (this.#isOpen) onClosed(error.message);
      this.#isOpen = false;
    });
  }

  line(text: string): void {
    if (this.#isOpen) this.#stream.write(`${text}\n`);
  }
}
