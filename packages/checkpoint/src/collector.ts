import { createHash, type Hash } from 'node:crypto';
import { StoreError, type Store } from '@tidemark/stores';
import type { Compressor } from './compression.ts';
import { CheckpointError } from './errors.ts';
import { PartFraming } from './part-file.ts';
import { BLOCK_CAPACITY, SPARE_BLOCKS_MAX } from './limits.ts';
import type { PartCache } from './part-cache.ts';
import { type PartBlock, payloadOf } from './part-writer.ts';
import type { PartFile, PartOfCut, PartStats } from './participant.ts';
import type { FileRef } from './record.ts';

/** What a thread has written for one cut. */
export interface StoredPart {
  readonly ref: FileRef;
  /** Cut of the file that it builds on; 0 for none. */
  readonly base: number;
  readonly stats: PartStats;
}

/** Where the parts of one cut go, and how. */
export interface CollectorPlace {
  readonly store: Store;
  readonly job: string;
  readonly term: number;
  readonly cut: number;
  readonly newId: () => string;
  readonly compressor: Compressor | null;
  readonly inlineBytesMax: number;
  /** Bytes of parts that may be in memory and not yet stored. */
  readonly captureBytesMax: number;
  /** Keeps what becomes a file, as far as it has room: a rollback then needs no store. */
  readonly cache: PartCache;
  /** Blocks of a thread are stored: it may use their memory again. */
  readonly spent: (thread: number, buffers: readonly ArrayBuffer[]) => void;
}

/**
 * Gathers one cut's parts from the threads and makes them durable: small ones for the record itself, larger ones
 * streamed into a file of their own while they are still written. Compresses on the way, off this thread.
 *
 * Owns the bytes between a thread and the store. Does not decide anything (see step.ts).
 */
export class Collector {
  readonly #place: CollectorPlace;
  readonly #stored: (thread: number, part: StoredPart) => void;
  readonly #failed: (error: CheckpointError) => void;
  readonly #parts = new Map<number, OpenPart>();
  #waitingBytes = 0;
  #over = false;

  constructor(
    place: CollectorPlace,
    stored: (thread: number, part: StoredPart) => void,
    failed: (error: CheckpointError) => void,
  ) {
    this.#place = place;
    this.#stored = stored;
    this.#failed = failed;
  }

  take(thread: number, says: PartOfCut): void {
    const { cut, compressor, captureBytesMax } = this.#place;
    if (says.cut !== cut || this.#over) return;
    let part = this.#parts.get(thread);
    if (part === undefined) {
      part = new OpenPart(compressor, this.#place.cache, (bytes) => (this.#waitingBytes += bytes));
      this.#parts.set(thread, part);
    }
    const open = part;
    const then = says.kind === 'block' ? open.add(says.block) : open.end(says.cut, says.file.base);
    if (this.#waitingBytes > captureBytesMax) {
      this.#fail(
        new CheckpointError(
          'CAPTURE_TOO_LARGE',
          `cut ${cut}: more than ${captureBytesMax} bytes of state wait for the store; this checkpoint was declined rather than the job stopped. Give captureBytesMax more, or the store a faster way.`,
        ),
      );
      return;
    }
    const next = (): void => {
      if (this.#over) return;
      if (open.length > this.#place.inlineBytesMax) open.upload ??= this.#upload(thread, open);
      if (says.kind === 'done') this.#end(thread, open, says.file, says.stats);
    };
    if (then === null) next();
    else then.then(next, (error: unknown) => this.#fail(notStored(`cut ${cut}: thread ${thread}`, error)));
  }

  /** The cut is abandoned: uploads end. What they left is not named by any record. */
  abandon(): void {
    this.#over = true;
    const reason = new CheckpointError('CHECKPOINT_ABANDONED', `cut ${this.#place.cut} was abandoned`);
    for (const part of this.#parts.values()) part.abort(reason);
  }

  #end(thread: number, part: OpenPart, { base, inline }: PartFile, stats: PartStats): void {
    const { cut } = this.#place;
    const { length, sha256 } = part;
    if (inline && part.upload === null) {
      const ref = { cut, length, sha256, inline: Buffer.concat(part.blocks).toString('base64') };
      this.#stored(thread, { ref, base, stats });
      return;
    }
    part.upload ??= this.#upload(thread, part);
    if (part.kept !== null) this.#place.cache.add(sha256, part.kept);
    part.upload.then(
      (path) => {
        this.#place.spent(thread, part.takeSpent());
        // A store may carry out a put that was given up: nobody asks for this part any more (C10).
        if (!this.#over) this.#stored(thread, { ref: { cut, length, sha256, path }, base, stats });
      },
      // Reported by #upload.
      () => undefined,
    );
  }

  #upload(thread: number, part: OpenPart): Promise<string> {
    const { store, job, term, cut, newId } = this.#place;
    const path = `part/${term}-${cut}-${thread}-${newId()}`;
    const name = `${job}/${path}`;
    const upload = store.put(name, part, { signal: part.signal }).then(() => path);
    upload.catch((error: unknown) => this.#fail(notStored(`cut ${cut}: ${name}`, error)));
    return upload;
  }

  #fail(error: CheckpointError): void {
    // Uploads that end because they were told to are no news.
    if (!this.#over) this.#failed(error);
  }
}

function notStored(what: string, error: unknown): CheckpointError {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = cause instanceof StoreError || cause instanceof CheckpointError ? cause.code : 'STORE_IO';
  return new CheckpointError('PART_NOT_STORED', `${what}: ${code}: ${cause.message}`, { cause });
}

/** One part on its way: its blocks, compressed and framed, as a stream for the store. */
class OpenPart implements AsyncIterable<Uint8Array> {
  readonly blocks: Uint8Array[] = [];
  /** Memory of its blocks, as far as their thread would keep it. */
  readonly #lent: ArrayBuffer[] = [];
  /** All blocks so far, for the cache; null when there was no room for them. */
  kept: Uint8Array[] | null = [];
  upload: Promise<string> | null = null;
  length = 0;
  sha256 = '';
  readonly #compressor: Compressor | null;
  readonly #cache: PartCache;
  readonly #waits: (bytes: number) => void;
  readonly #framing = new PartFraming();
  readonly #hash: Hash = createHash('sha256');
  readonly #abort = new AbortController();
  /** Blocks are compressed one after the other; null where they are not. */
  #compressing: Promise<void> | null = null;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(compressor: Compressor | null, cache: PartCache, waits: (bytes: number) => void) {
    this.#compressor = compressor;
    this.#cache = cache;
    this.#waits = waits;
    this.#push(this.#framing.begin());
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when it is in the stream; null when it is already. */
  add(block: PartBlock): Promise<void> | null {
    if (this.#lent.length < SPARE_BLOCKS_MAX) this.#lent.push(block.bytes.buffer as ArrayBuffer);
    const compressor = this.#compressor;
    if (compressor === null) {
      this.#push(this.#framing.block(block));
      return null;
    }
    const payload = payloadOf(block);
    this.#waits(payload.length);
    const compress = async (before: Promise<void> | null): Promise<void> => {
      const compressed = compressor.compress(payload);
      // Whichever fails is told by the last one.
      compressed.catch(() => undefined);
      await before;
      const stored = await compressed;
      this.#waits(-payload.length);
      const isSmaller = stored.length < payload.length;
      this.#push(isSmaller ? this.#framing.compressed(block, compressor.codec, stored) : this.#framing.block(block));
    };
    return (this.#compressing = compress(this.#compressing));
  }

  /** No block comes any more. As `add`. */
  end(cut: number, base: number): Promise<void> | null {
    const finish = (): void => {
      this.#push(this.#framing.end(cut, base));
      this.sha256 = this.#hash.digest('hex');
      this.#ended = true;
      this.#wake();
    };
    if (this.#compressing !== null) return this.#compressing.then(finish);
    finish();
    return null;
  }

  /** Memory that nobody looks at any more, once it is all stored. */
  takeSpent(): readonly ArrayBuffer[] {
    return this.#lent.splice(0).filter(({ byteLength }) => byteLength === BLOCK_CAPACITY);
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
    if (!this.#ended) this.#keepNone();
    this.#wake();
  }

  #keepNone(): void {
    if (this.kept !== null) this.#cache.letGo(this.kept);
    this.kept = null;
  }

  #push(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.length += bytes.length;
    this.#waits(bytes.length);
    this.blocks.push(bytes);
    if (this.length > this.#cache.room) this.#keepNone();
    this.kept?.push(this.#cache.copy(bytes));
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
      this.#waits(-this.blocks[next].length);
      this.blocks[next] = EMPTY;
    }
  }
}

const EMPTY = new Uint8Array(0);
