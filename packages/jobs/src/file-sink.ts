import type { Clock, CutState } from '@tidemark/actors/internal/worker';
import type { Store } from '@tidemark/stores';
import { StoreError } from '@tidemark/stores/internal/worker';
import { JobError } from './errors.ts';
import { APPLY_RETRY_MS, BATCH_BYTES_MAX, SINK_CHUNK_BYTES } from './limits.ts';

/** One chunk of a batch as a unit. `position` is 0 while this sink does not know the record that has named the batch. */
export interface ChunkUnit {
  readonly position: number;
  /** Cut at which it was sealed; 0 for a batch that has a position. */
  readonly cut: number;
  readonly task: number;
  readonly bytes: Uint8Array;
}

interface Batch {
  readonly position: number;
  readonly task: number;
  readonly chunks: Uint8Array[];
}

/** A published record: it names all that was sealed up to its cut and had no name yet. */
export interface Naming {
  readonly cut: number;
  readonly position: number;
}

/** The checkpoint that a sink goes on from. */
export interface RestoredNames {
  readonly position: number;
  /** The records published before it, oldest first. A sink may have flipped for it before it heard of the last of them. */
  readonly namings: readonly Naming[];
}

export interface FileSinkOptions {
  /** Name in the checkpoint: `output` or `bad`. */
  readonly sink: string;
  readonly type: string;
  /** This worker's number. */
  readonly task: number;
  readonly cut: CutState;
  readonly clock: Clock;
  /** Opened when the first batch is applied. */
  readonly open: () => Promise<Store>;
  readonly warn: (code: string, message: string) => void;
  readonly fail: (error: unknown) => void;
  /** Too much waits (true), or no longer (false). */
  readonly full: (full: boolean) => void;
  /** Nothing named waits any more. */
  readonly applied: () => void;
}

/**
 * Exactly-once output into a folder: records become batches, a batch gets its name from the record that publishes it
 * (`<20-digit position>-<task>.ndjson`), and is put if absent. The same batch applied twice is one file.
 *
 * - J3 A batch is sealed at the flip, and named only by a published record: the first of its cut or a later one. What it
 *   holds never changes after that.
 * - J4 Batches are applied in the order of their positions, one at a time; a batch is dropped from the state only after it is durable.
 * - J5 A name that is taken with other bytes ends the job; nothing is ever overwritten.
 * - J6 After `stop` nothing more is applied, but for the one put under way: its batch has its name from a published
 *   record, so the next generation puts the same bytes under it.
 */
export class FileSink {
  readonly #options: FileSinkOptions;
  #text: string[] = [];
  #textLength = 0;
  #open: Uint8Array[] = [];
  #sealed: { readonly cut: number; readonly chunks: Uint8Array[] }[] = [];
  #named: Batch[] = [];
  #bytes = 0;
  #full = false;
  #applying = false;
  #stopped = false;
  #store: Promise<Store> | null = null;
  /** What this sink held at the last flip, by reference, as far as it is not captured. */
  #atFlip: ChunkUnit[] = [];

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  append(line: string): void {
    this.#text.push(line, '\n');
    this.#textLength += line.length + 1;
    if (this.#textLength >= SINK_CHUNK_BYTES) this.#encode();
  }

  /** Nothing is named and waits. */
  get idle(): boolean {
    return this.#named.length === 0 && !this.#applying;
  }

  /** Seals the open batch (J3). Answers whether this cut's record will name something. */
  flip(): boolean {
    this.#encode();
    if (this.#open.length > 0) {
      this.#sealed.push({ cut: this.#options.cut.cut, chunks: this.#open });
      this.#open = [];
    }
    const { task } = this.#options;
    this.#atFlip = [
      ...this.#named.flatMap((batch) =>
        batch.chunks.map((bytes) => ({ position: batch.position, cut: 0, task: batch.task, bytes })),
      ),
      ...this.#sealed.flatMap(({ cut, chunks }) => chunks.map((bytes) => ({ position: 0, cut, task, bytes }))),
    ];
    return this.#sealed.length > 0;
  }

  *captureMotion(): Generator<void, void, void> {
    const { cut, type, sink, task } = this.#options;
    const chunks = this.#atFlip;
    for (let i = 0; i < chunks.length; i++) {
      cut.sink?.passing(type, '', `sink:${sink}`, `${task}/${i}`, chunks[i]);
      yield;
    }
    this.#atFlip = [];
  }

  /** Puts a chunk back, with the name that it has, or that the records up to the one that was restored give it (J3). */
  load(chunk: ChunkUnit, { position: restored, namings }: RestoredNames): void {
    const naming = namings.find(({ cut }) => cut >= chunk.cut);
    const position = chunk.position !== 0 ? chunk.position : (naming?.position ?? restored);
    const last = this.#named.at(-1);
    if (last !== undefined && last.position === position && last.task === chunk.task) last.chunks.push(chunk.bytes);
    else this.#named.push({ position, task: chunk.task, chunks: [chunk.bytes] });
    this.#bytes += chunk.bytes.length;
  }

  /** Applies what was restored: before anything new is named. */
  start(): void {
    this.#named.sort((a, b) => a.position - b.position || a.task - b.task);
    this.#apply();
  }

  /** The record of `cut` was published at `position`: what was sealed up to it has a name now. */
  published(cut: number, position: number): void {
    const chunks = this.#sealed.filter((batch) => batch.cut <= cut).flatMap((batch) => batch.chunks);
    this.#sealed = this.#sealed.filter((batch) => batch.cut > cut);
    if (chunks.length > 0) this.#named.push({ position, task: this.#options.task, chunks });
    this.#apply();
  }

  /** Its generation is over. */
  stop(): void {
    this.#stopped = true;
    if (!this.#applying) this.#close();
  }

  #close(): void {
    const store = this.#store;
    this.#store = null;
    // It has nothing to lose any more; who needs it next opens it anew.
    store?.then((opened) => opened.close()).catch(() => undefined);
  }

  #encode(): void {
    if (this.#textLength === 0) return;
    const bytes = new TextEncoder().encode(this.#text.join(''));
    this.#open.push(bytes);
    this.#text = [];
    this.#textLength = 0;
    this.#grow(bytes.length);
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    const full = this.#bytes > BATCH_BYTES_MAX;
    if (full === this.#full) return;
    this.#full = full;
    this.#options.full(full);
  }

  #apply(): void {
    if (this.#applying || this.#stopped) return;
    if (this.#named.length === 0) {
      this.#options.applied();
      return;
    }
    this.#applying = true;
    this.#applyAll().then(
      () => {
        this.#applying = false;
        if (this.#stopped) this.#close();
        else this.#options.applied();
      },
      (error: unknown) => {
        this.#applying = false;
        if (this.#stopped) this.#close();
        else this.#options.fail(error);
      },
    );
  }

  async #applyAll(): Promise<void> {
    for (let batch = this.#named[0]; batch !== undefined && !this.#stopped; batch = this.#named[0]) {
      const bytes = concat(batch.chunks);
      await this.#applyOne(batch, bytes);
      // The turn that notes it: from here on no checkpoint carries the batch.
      this.#named.shift();
      this.#grow(-bytes.length);
    }
  }

  async #applyOne(batch: Batch, bytes: Uint8Array): Promise<void> {
    const name = `${String(batch.position).padStart(20, '0')}-${batch.task}.ndjson`;
    while (!this.#stopped) {
      try {
        const store = await (this.#store ??= this.#options.open());
        if ((await store.putIfAbsent(name, bytes)) === 'taken') await assertSame(store, name, bytes);
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || !mayPass(error)) throw error;
        this.#options.warn(error.code, `output ${name} waits and is tried again: ${error.message}`);
        await new Promise<void>((resolve) => void this.#options.clock.after(APPLY_RETRY_MS, resolve));
      }
    }
  }
}

function mayPass(error: StoreError): boolean {
  return error.kind === 'retry' || error.kind === 'lost' || error.code === 'STORE_FULL';
}

async function assertSame(store: Store, name: string, bytes: Uint8Array): Promise<void> {
  const found = await store.get(name);
  if (Buffer.compare(found, bytes) === 0) return;
  throw new JobError(
    'OUTPUT_DIFFERS',
    `${name} in ${store.url} holds other bytes than this job's batch of that name: another job or another run has written there. Nothing was overwritten; give the job an output folder of its own.`,
  );
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}
