import { holdsMessages, packBatch, packMessages } from './frame.ts';
import { FIRST_MESSAGES, FRAME_BYTES_TARGET, FRAME_MESSAGES_MAX, MESSAGE_BYTES_GUESS, WINDOW_BYTES } from './limits.ts';
import { MessageSize } from './message-size.ts';
import type { Batch, Envelope, Frame, PackedFrame } from './messages.ts';
import type { Port } from './port.ts';

/** Posted entries kept before the queue is compacted. */
const COMPACT_AT = 256;

/**
 * The outgoing end of the FIFO way to one other thread.
 *
 * Owns the outbox: what is sent and not yet posted. Does not own what lies in the port or at the receiver.
 *
 * - A3 Frames are posted in the order of the sends.
 * - A4 At most `WINDOW_BYTES` lie in the port, or one larger frame alone.
 * - A5 At a flip everything unposted is sealed: it is recorded before it is posted, and posted after the marker.
 */
export class OutChannel {
  readonly thread: number;
  readonly #port: Port;
  readonly #generation: number;
  readonly #size = new MessageSize();
  #open: Envelope[] = [];
  #openBytes = 0;
  #queue: Waiting[] = [];
  #head = 0;
  #inFlightBytes = 0;
  #waitingBytes = 0;
  #seq = 0;
  /** The sender's newest cut that this channel knows of; null before it was flushed. */
  #cut: number | null = null;
  /** Cut of the last seal, and what takes the sealed frames of it. */
  #sealCut = 0;
  #record: ((frame: PackedFrame) => void) | null = null;

  constructor(thread: number, port: Port, generation: number) {
    this.thread = thread;
    this.#port = port;
    this.#generation = generation;
  }

  /** Bytes that wait here, about. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Messages that wait here; rows of batches are none. */
  get waitingMessages(): number {
    const queued = this.#queue.slice(this.#head).map(({ envelopes, frame }) => {
      return envelopes?.length ?? (frame !== null && holdsMessages(frame) ? frame.count : 0);
    });
    return queued.reduce((sum, count) => sum + count, this.#open.length);
  }

  get idle(): boolean {
    return this.#open.length === 0 && this.#head === this.#queue.length;
  }

  get framesSent(): number {
    return this.#seq;
  }

  send(envelope: Envelope): void {
    this.#open.push(envelope);
    const bytes = envelope.bytes ?? this.#size.bytes;
    this.#openBytes += bytes;
    this.#waitingBytes += bytes;
    // A receiver that has nothing of this channel begins with the first few while the others are made.
    const isFree = this.#inFlightBytes === 0 && this.#cut !== null && this.#head === this.#queue.length;
    const enough = isFree ? FIRST_MESSAGES : FRAME_MESSAGES_MAX / 4;
    // Without what each takes at least: many small ones are few bytes.
    const content = this.#openBytes - this.#open.length * MESSAGE_BYTES_GUESS;
    if (this.#open.length >= enough || content >= FRAME_BYTES_TARGET) this.#full();
  }

  /** It is posted while the sender goes on, if there is room. */
  #full(): void {
    this.#close();
    if (this.#cut !== null) this.#post(this.#cut, 0);
  }

  sendBatch(batch: Batch): void {
    this.#close();
    const bytes = batch.values.length * this.#size.bytes;
    this.#waitingBytes += bytes;
    this.#queue.push({ batch, envelopes: null, frame: null, bytes, sealed: 0 });
  }

  /** Posts the marker at once and seals what waits; `record` gets each sealed frame once, before it is posted (and must copy it). */
  flip(cut: number, published: number, record: (frame: PackedFrame) => void): void {
    this.#close();
    for (let i = this.#head; i < this.#queue.length; i++) this.#queue[i].sealed = cut;
    this.#sealCut = cut;
    this.#cut = cut;
    this.#record = record;
    this.#port.post({ kind: 'marker', cut, published }, []);
  }

  /** Records what is sealed and still waits, a frame at a step. */
  *capture(): Generator<void, void, void> {
    for (let i = this.#head; i < this.#queue.length; i++) {
      if (this.#queue[i].sealed !== this.#sealCut) continue;
      this.#pack(i);
      this.#recordSealed(this.#queue[i]);
      yield;
      // Frames may have left, or one item may have become several, while others worked.
      i = this.#head - 1;
    }
  }

  /** The part is no longer written: nothing is recorded any more. */
  abandon(): void {
    this.#record = null;
  }

  credit(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /**
   * Posts what waits as far as the window allows.
   *
   * @param credit room to give back to the other thread
   * @returns what no frame has taken along of it
   */
  flush(cut: number, credit = 0): number {
    this.#cut = cut;
    this.#close();
    return this.#post(cut, credit);
  }

  #post(cut: number, credit: number): number {
    let left = credit;
    while (this.#head < this.#queue.length) {
      this.#pack(this.#head);
      const waiting = this.#queue[this.#head];
      const { codec, count, body } = waiting.frame!;
      if (this.#inFlightBytes > 0 && this.#inFlightBytes + body.length > WINDOW_BYTES) return left;
      this.#recordSealed(waiting);
      this.#head++;
      this.#waitingBytes -= waiting.bytes;
      this.#inFlightBytes += body.length;
      const [generation, seq] = [this.#generation, this.#seq++];
      const frame: Frame = { kind: 'frame', generation, cut, seq, credit: left, codec, count, body };
      left = 0;
      this.#port.post(frame, [body.buffer as ArrayBuffer]);
      if (this.#head >= COMPACT_AT) this.#compact();
    }
    this.#queue.length = 0;
    this.#head = 0;
    return left;
  }

  #close(): void {
    if (this.#open.length === 0) return;
    this.#queue.push({ batch: null, envelopes: this.#open, frame: null, bytes: this.#openBytes, sealed: 0 });
    this.#open = [];
    this.#openBytes = 0;
  }

  /** Packs the item at `index`; one that is too large for a frame becomes several. */
  #pack(index: number): void {
    const waiting = this.#queue[index];
    if (waiting.frame !== null) return;
    if (waiting.batch !== null) {
      waiting.frame = packBatch(waiting.batch);
      waiting.batch = null;
      this.#waitingBytes -= waiting.bytes;
      waiting.bytes = this.#measured(waiting.frame);
      return;
    }
    const frames = packMessages(waiting.envelopes!);
    this.#waitingBytes -= waiting.bytes;
    const items = frames.map((frame): Waiting => {
      return { batch: null, envelopes: null, frame, bytes: this.#measured(frame), sealed: waiting.sealed };
    });
    this.#queue.splice(index, 1, ...items);
  }

  /** What is packed waits as what it is. */
  #measured({ count, body }: PackedFrame): number {
    this.#size.measured(count, body.length);
    this.#waitingBytes += body.length;
    return body.length;
  }

  #compact(): void {
    this.#queue.splice(0, this.#head);
    this.#head = 0;
  }

  #recordSealed(waiting: Waiting): void {
    if (waiting.sealed !== this.#sealCut || waiting.sealed === 0) return;
    waiting.sealed = 0;
    this.#record?.(waiting.frame!);
  }
}

/** One thing in an outbox: messages or a batch, packed when it is posted or recorded. */
interface Waiting {
  batch: Batch | null;
  envelopes: Envelope[] | null;
  frame: PackedFrame | null;
  bytes: number;
  /** Cut that still has to record this; 0 for none. */
  sealed: number;
}
