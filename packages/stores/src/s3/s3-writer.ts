import { refuseAborted } from '../answers.ts';
import type { Clock } from '../clock.ts';
import { StoreError } from '../errors.ts';
import type { Repeater } from '../repeater.ts';
import type { CallOptions } from '../store.ts';
import { Watch, WatchEnded } from '../watch.ts';
import { partsOfBytes, partsOfStream } from './body-parts.ts';
import { CallTime } from './call-time.ts';
import { NameLocks } from './name-locks.ts';
import { PUT_ID, type S3Bucket, type Upload, type Write } from './s3-bucket.ts';
import { badAnswer, givenUp, outcomeUnknown } from './s3-errors.ts';
import { type S3Limits, SMALL_BYTES_MAX } from './s3-limits.ts';
import { orThrow } from './s3-reading.ts';
import { uploadLarge } from './s3-upload.ts';
import type { Answer } from './s3-wire.ts';
import { type Attempt, type Holder, settle } from './settlement.ts';

/** What the writing side of an S3 store is given from outside. */
export interface WriterParts {
  readonly bucket: S3Bucket;
  readonly clock: Clock;
  readonly repeater: Repeater;
  readonly limits: S3Limits;
  readonly uniqueName: () => string;
  /** Whether the server refuses to store under a name that is taken (`s3-probe.ts`). */
  readonly conditionalWrites: boolean;
}

/**
 * What a put does about a name that is taken. `refused`: the server refuses it. `looked-up`: the server would not, so each put
 * looks first; enough for one writer. `over`: it goes over whatever is there.
 */
type Mode = 'refused' | 'looked-up' | 'over';

interface How {
  readonly mode: Mode;
  readonly options: CallOptions;
}

/** One object on its way. */
interface Putting {
  readonly name: string;
  readonly mode: Mode;
  readonly write: Write;
  readonly time: CallTime;
}

/** Share of the time of a call for one request whose outcome may have to be looked up afterwards. */
const SHARE = 1 / 3;

/**
 * Stores objects: in one request, or in parts when they are large. It keeps P1 to P4 of `settle` by giving every put an id of
 * its own, and by looking at the id under the name whenever a request did not say clearly what it did.
 */
export class S3Writer {
  readonly #parts: WriterParts;
  readonly #locks = new NameLocks();

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Stores under a name that is free. */
  async store(
    name: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions,
  ): Promise<'stored' | 'taken'> {
    if (this.#parts.conditionalWrites) return this.#write(name, body, { mode: 'refused', options });
    return this.#locks.run(name, () => this.#write(name, body, { mode: 'looked-up', options }));
  }

  /** Stores over whatever is there. */
  async replace(name: string, bytes: Uint8Array, options: CallOptions): Promise<void> {
    await this.#write(name, bytes, { mode: 'over', options });
  }

  async #write(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, how: How): Promise<'stored' | 'taken'> {
    const { partBytes } = this.#parts.limits;
    if (!(body instanceof Uint8Array)) return this.#writeStream(name, body, how);
    if (body.byteLength > partBytes) return this.#writeLarge(name, partsOfBytes(body, partBytes), how);
    const putting = this.#begin(name, how, body.byteLength);
    return this.#settled(putting, body.byteLength, (watch) => this.#parts.bucket.put(name, body, putting.write, watch));
  }

  /** A body that can be read only once stays in memory part by part, so that its requests can be repeated all the same. */
  async #writeStream(name: string, body: AsyncIterable<Uint8Array>, how: How): Promise<'stored' | 'taken'> {
    const { clock, limits, repeater } = this.#parts;
    const watch = new Watch(clock, { signal: how.options.signal, wholeMs: how.options.deadlineMs });
    const left = remaining(clock, how.options);
    const parts = partsOfStream(body, limits.partBytes, (work) => watch.race(work));
    try {
      const first = await parts.next();
      const second = await parts.next();
      refuseAborted(how.options.signal, name);
      if (first.done !== true && second.done !== true) {
        const all = chained([first.value, second.value], parts);
        return await this.#writeLarge(name, all, { ...how, options: left() });
      }
      const bytes = first.done === true ? new Uint8Array(0) : first.value;
      const withinMs = bytes.byteLength > SMALL_BYTES_MAX ? { withinMs: Number.POSITIVE_INFINITY } : {};
      return await repeater.run(left(), (options) => this.#write(name, bytes, { ...how, options }), withinMs);
    } catch (error) {
      if (watch.ended !== undefined && isEnd(error)) throw givenUp(this.#about(name), watch.ended);
      throw error;
    } finally {
      // A body that is stuck is told that nobody waits for it.
      watch.stop(new WatchEnded());
      watch.close();
      void parts.return(undefined).catch(() => undefined);
    }
  }

  async #writeLarge(
    name: string,
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    how: How,
  ): Promise<'stored' | 'taken'> {
    const { clock, limits, bucket, repeater } = this.#parts;
    const putting = this.#begin(name, how, Number.POSITIVE_INFINITY);
    const left = remaining(clock, how.options);
    const watch = new Watch(clock, { signal: how.options.signal, wholeMs: how.options.deadlineMs });
    // What brings parts to the server is ended by the first failure too; putting them together is not begun then.
    const time = new CallTime(clock, limits, { ...how.options, signal: watch.signal }, 'bulk');
    try {
      return await uploadLarge({ bucket, repeater, limits }, name, {
        write: putting.write,
        parts,
        time,
        watch,
        finish: (uploaded) =>
          this.#settled(putting, uploaded.sizeBytes, (request) =>
            bucket.completeUpload(uploaded, putting.write, request),
          ),
        cleanUp: (upload) => this.#cleanUp(upload, left()),
      });
    } catch (error) {
      if (watch.ended !== undefined && isEnd(error)) throw givenUp(this.#about(name), watch.ended);
      throw error;
    } finally {
      watch.close();
    }
  }

  #begin(name: string, { mode, options }: How, sizeBytes: number): Putting {
    const { clock, limits, uniqueName } = this.#parts;
    const write: Write = { putId: uniqueName(), onto: mode === 'refused' ? 'free' : 'any' };
    const time = new CallTime(clock, limits, options, sizeBytes <= SMALL_BYTES_MAX ? 'small' : 'bulk');
    return { name, mode, write, time };
  }

  /** Makes `request`, which publishes the object, as often as it takes to know what became of it. */
  async #settled(
    putting: Putting,
    sizeBytes: number,
    request: (watch: Watch) => Promise<Answer<{ readonly ETag?: string | undefined }>>,
  ): Promise<'stored' | 'taken'> {
    const { name, mode, time } = putting;
    const attempt = async () => {
      const answer = await (sizeBytes <= SMALL_BYTES_MAX ? time.small(request, SHARE) : time.bulk(request, SHARE));
      return attemptOf(answer, this.#about(name));
    };
    const holder = () => this.#holder(putting, sizeBytes);
    if (mode === 'over') return this.#settledOver(name, attempt, holder);
    let series: ReturnType<Repeater['series']> | undefined;
    return settle({
      attempt: mode === 'refused' ? attempt : () => lookedUp(attempt, holder),
      holder,
      again: (because) => (series ??= this.#parts.repeater.series(time.left)).again(because),
      lost: (because) =>
        because.kind === 'lost' ? because : outcomeUnknown(this.#about(name), because.message, because.cause),
      vanished: () => this.#vanished(name),
    });
  }

  /** Nobody relies on who was the last to replace an object, so a reply that is lost is looked up once. */
  async #settledOver(name: string, attempt: () => Promise<Attempt>, holder: () => Promise<Holder>): Promise<'stored'> {
    const tried = await attempt();
    if (tried.outcome === 'stored') return 'stored';
    if (tried.outcome === 'refused') throw this.#vanished(name);
    const isOpen = tried.outcome !== 'nothing-done' && tried.error.code !== 'STORE_ABORTED';
    if (isOpen && (await holder()) === 'ours') return 'stored';
    throw tried.error;
  }

  /** Whose object the name shows. */
  async #holder({ name, write, time }: Putting, sizeBytes: number): Promise<Holder> {
    const { bucket, repeater } = this.#parts;
    try {
      const { Metadata = {}, ContentLength } = await repeater.run(time.left, () =>
        time.small((watch) => orThrow(bucket.head(name, watch)), SHARE),
      );
      if (Metadata[PUT_ID] !== write.putId) return 'other';
      return ContentLength === sizeBytes ? 'ours' : wrongLength(this.#about(name), sizeBytes, ContentLength);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return error.kind === 'absent' ? 'nobody' : error;
    }
  }

  /**
   * Quietly: what stays is ended by a later opening, or by the bucket's own rule. It is tried also when the caller has no time
   * left, who then does not wait for it.
   */
  async #cleanUp(upload: Upload, { signal, deadlineMs }: CallOptions): Promise<void> {
    const { clock, limits, bucket } = this.#parts;
    const aborting = new CallTime(clock, limits, {}, 'small').small((watch) => bucket.abortUpload(upload, watch));
    const patience = new Watch(clock, { signal, wholeMs: deadlineMs });
    await patience.race(aborting).catch(() => undefined);
    patience.close();
  }

  #about(name: string): string {
    return this.#parts.bucket.about('put of', name);
  }

  #vanished(name: string): StoreError {
    return new StoreError(
      'retry',
      'STORE_BUSY',
      `${this.#about(name)} failed: another object of that name was in the way, and is gone. Nothing was done; repeat it.`,
    );
  }
}

function attemptOf(answer: Answer<{ readonly ETag?: string | undefined }>, about: string): Attempt {
  if (!answer.ok) return answer.failure.outcome === 'refused' ? { outcome: 'refused' } : answer.failure;
  // A login page answers everything with success, but has no ETag.
  if (answer.output.ETag !== undefined) return { outcome: 'stored' };
  return { outcome: 'answered', error: badAnswer(about, 'the answer has no ETag') };
}

async function lookedUp(attempt: () => Promise<Attempt>, holder: () => Promise<Holder>): Promise<Attempt> {
  const found = await holder();
  if (found === 'nobody') return attempt();
  if (found === 'ours') return { outcome: 'stored' };
  return found === 'other' ? { outcome: 'refused' } : { outcome: 'nothing-done', error: found };
}

/** Options with what is left of the deadline whenever they are asked for. */
function remaining(clock: Clock, options: CallOptions): () => CallOptions {
  const { deadlineMs } = options;
  if (deadlineMs === undefined) return () => options;
  const end = clock.now() + deadlineMs;
  return () => ({ ...options, deadlineMs: Math.max(1, end - clock.now()) });
}

/** Whether an error only says that a watch ended, before anything was published. */
function isEnd(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === 'STORE_ABORTED' && error.kind !== 'lost';
  return error instanceof WatchEnded;
}

async function* chained(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

function wrongLength(about: string, expected: number, got: number | undefined): StoreError {
  return new StoreError(
    'corrupt',
    'STORE_CORRUPT',
    `${about}: the object that this put stored has ${got} bytes instead of ${expected}. Look for what stands between this machine and the server.`,
  );
}
