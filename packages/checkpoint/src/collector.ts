import { createHash, type Hash } from 'node:crypto';
import { StoreError, type Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { INLINE_BYTES_MAX } from './limits.ts';
import type { PartSays, PartStats } from './participant.ts';
import type { PartRef } from './record.ts';

export interface StoredPart {
  readonly ref: PartRef;
  readonly stats: PartStats;
}

/**
 * Gathers one cut's parts from the threads and makes them durable: small ones for the record itself, larger ones
 * streamed into a file of their own while they are still written.
 *
 * Owns the bytes between a thread and the store. Does not decide anything (see step.ts).
 */
export class Collector {
  readonly #store: Store;
  readonly #job: string;
  readonly #term: number;
  readonly #cut: number;
  readonly #newId: () => string;
  readonly #stored: (thread: number, part: StoredPart) => void;
  readonly #failed: (error: Error) => void;
  readonly #parts = new Map<number, OpenPart>();
  #abandoned = false;

  constructor(
    place: {
      readonly store: Store;
      readonly job: string;
      readonly term: number;
      readonly cut: number;
      readonly newId: () => string;
    },
    stored: (thread: number, part: StoredPart) => void,
    failed: (error: Error) => void,
  ) {
    this.#store = place.store;
    this.#job = place.job;
    this.#term = place.term;
    this.#cut = place.cut;
    this.#newId = place.newId;
    this.#stored = stored;
    this.#failed = failed;
  }

  take(thread: number, says: PartSays): void {
    if (says.cut !== this.#cut) return;
    let part = this.#parts.get(thread);
    if (part === undefined) this.#parts.set(thread, (part = new OpenPart()));
    if (says.kind === 'block') {
      part.add(says.bytes);
      if (part.length > INLINE_BYTES_MAX && part.upload === null) part.upload = this.#upload(thread, part);
    } else this.#end(thread, part, says.stats);
  }

  /** The cut is abandoned: uploads end. What they left is not named by any record. */
  abandon(): void {
    this.#abandoned = true;
    const reason = new CheckpointError('CHECKPOINT_ABANDONED', `cut ${this.#cut} was abandoned`);
    for (const part of this.#parts.values()) part.abort(reason);
  }

  #end(thread: number, part: OpenPart, stats: PartStats): void {
    const sha256 = part.end();
    const { length } = part;
    if (part.upload === null) {
      const inline = Buffer.concat(part.blocks).toString('base64');
      this.#stored(thread, { ref: { thread, length, sha256, inline }, stats });
      return;
    }
    part.upload.then(
      (path) => {
        // A store may carry out a put that was given up: nobody asks for this part any more (C10).
        if (!this.#abandoned) this.#stored(thread, { ref: { thread, length, sha256, path }, stats });
      },
      // Reported by #upload.
      () => undefined,
    );
  }

  #upload(thread: number, part: OpenPart): Promise<string> {
    const path = `part/${this.#term}-${this.#cut}-${thread}-${this.#newId()}`;
    const name = `${this.#job}/${path}`;
    const upload = this.#store.put(name, part, { signal: part.signal }).then(() => path);
    upload.catch((error: unknown) => {
      // Uploads that end because they were told to are no news.
      if (this.#abandoned) return;
      const cause = error instanceof Error ? error : new Error(String(error));
      const code = cause instanceof StoreError ? cause.code : 'STORE_IO';
      this.#failed(
        new CheckpointError('PART_NOT_STORED', `cut ${this.#cut}: ${name}: ${code}: ${cause.message}`, { cause }),
      );
    });
    return upload;
  }
}

/** One part on its way: its blocks as a stream for the store. */
class OpenPart implements AsyncIterable<Uint8Array> {
  readonly blocks: Uint8Array[] = [];
  upload: Promise<string> | null = null;
  length = 0;
  readonly #hash: Hash = createHash('sha256');
  readonly #abort = new AbortController();
  #ended = false;
  #wake: () => void = () => undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  add(block: Uint8Array): void {
    this.#hash.update(block);
    this.length += block.length;
    this.blocks.push(block);
    this.#wake();
  }

  end(): string {
    this.#ended = true;
    this.#wake();
    return this.#hash.digest('hex');
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let next = 0; ; next++) {
      while (next === this.blocks.length) {
        if (this.#ended) return;
        this.#abort.signal.throwIfAborted();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      yield this.blocks[next];
      // It is the store's now; kept no longer than needed.
      this.blocks[next] = EMPTY;
    }
  }
}

const EMPTY = new Uint8Array(0);
