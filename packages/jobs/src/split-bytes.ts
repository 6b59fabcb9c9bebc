import type { FileAccess, OpenFile } from './input/file-access.ts';
import { READ_BYTES } from './limits.ts';

/**
 * Bytes of one split, read ahead of their use. Lies outside of every mailbox: what was read and not used is read again
 * after a restore.
 *
 * Owns one open file and two buffers. `from` … `to` of `bytes` are at hand; `offset` is the place of `from` in the file.
 */
export class SplitBytes {
  bytes: Buffer = EMPTY;
  from = 0;
  to = 0;
  offset: number;
  readonly #files: FileAccess;
  readonly #path: string;
  readonly #end: number;
  readonly #ready: () => void;
  readonly #fail: (error: unknown) => void;
  #handle: OpenFile | null = null;
  #next: Buffer | null = null;
  #nextOffset: number;
  #reading = false;
  #closed = false;

  constructor(
    files: FileAccess,
    path: string,
    start: number,
    end: number,
    ready: () => void,
    fail: (error: unknown) => void,
  ) {
    this.#files = files;
    this.#path = path;
    this.offset = start;
    this.#nextOffset = start;
    this.#end = end;
    this.#ready = ready;
    this.#fail = fail;
    this.#read();
  }

  /** All bytes up to the split's end are at hand. */
  get last(): boolean {
    return this.offset + (this.to - this.from) === this.#end;
  }

  use(upTo: number): void {
    this.offset += upTo - this.from;
    this.from = upTo;
  }

  /** Puts what was read ahead behind what is left. Answers whether there is more than before. */
  more(): boolean {
    const next = this.#next;
    if (next === null) {
      if (!this.last) this.#read();
      return false;
    }
    this.#next = null;
    const left = this.to - this.from;
    this.bytes = left === 0 ? next : Buffer.concat([this.bytes.subarray(this.from, this.to), next]);
    this.from = 0;
    this.to = this.bytes.length;
    this.#read();
    return true;
  }

  close(): void {
    this.#closed = true;
    if (!this.#reading) this.#closeHandle();
  }

  #read(): void {
    if (this.#reading || this.#closed || this.#next !== null || this.#nextOffset >= this.#end) return;
    this.#reading = true;
    this.#readOne().then(
      (bytes) => {
        this.#reading = false;
        if (this.#closed) {
          this.#closeHandle();
          return;
        }
        this.#next = bytes;
        this.#nextOffset += bytes.length;
        this.#ready();
      },
      (error: unknown) => {
        this.#reading = false;
        if (!this.#closed) this.#fail(error);
      },
    );
  }

  async #readOne(): Promise<Buffer> {
    this.#handle ??= await this.#files.open(this.#path);
    const length = Math.min(READ_BYTES, this.#end - this.#nextOffset);
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, this.#nextOffset);
    if (bytesRead === 0) throw new Error(`${this.#path} ended at byte ${this.#nextOffset}, before ${this.#end}`);
    return buffer.subarray(0, bytesRead);
  }

  #closeHandle(): void {
    const handle = this.#handle;
    this.#handle = null;
    handle?.close().catch(() => undefined);
  }
}

const EMPTY = Buffer.alloc(0);
