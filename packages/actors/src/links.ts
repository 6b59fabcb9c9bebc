import { OutChannel } from './channel.ts';
import { framesAreWatched, publishFrame } from './diagnostics.ts';
import { holdsMessages } from './frame.ts';
import type { ChannelItem, Frame, Marker, Peer } from './messages.ts';
import type { Port } from './port.ts';
import type { QueueDepth } from './thread-view.ts';

/** A frame that has arrived and is not yet taken. */
export interface Arrived {
  readonly frame: Frame;
  readonly from: number;
}

export interface LinksOptions {
  readonly thread: number;
  readonly workers: number;
  readonly generation: number;
  readonly peers: readonly Peer[];
  /** Called before anything of the frame can be processed. */
  readonly arrived: (frame: Frame, from: number) => void;
  readonly marker: (marker: Marker, from: number) => void;
  readonly wake: () => void;
}

/**
 * One thread's ends of all its channels.
 *
 * Owns outboxes, arrived frames and credit. Does not decode.
 *
 * - A8 A frame is taken whole: between two slices it lies wholly in `arrived` or wholly in mailboxes.
 * - A13 No frame of another generation has a way in: the channels of each generation are its own.
 */
export class Links {
  readonly #options: LinksOptions;
  readonly #byThread: (OutChannel | null)[];
  readonly #owedCredit: number[];
  /** Outgoing channels, one to each other thread. */
  readonly channels: readonly OutChannel[];
  #arrived: Arrived[] = [];
  #arrivedHead = 0;
  #arrivedBytes = 0;
  framesTaken = 0;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#byThread = new Array<OutChannel | null>(options.workers + 1).fill(null);
    this.#owedCredit = new Array<number>(options.workers + 1).fill(0);
    this.channels = options.peers.map(({ thread, port }) => {
      port.listen((item) => this.#receive(item, thread));
      return (this.#byThread[thread] = new OutChannel(thread, this.#watched(thread, port), options.generation));
    });
  }

  to(thread: number): OutChannel {
    const channel = this.#byThread[thread];
    if (channel === null || channel === undefined) throw new RangeError(`there is no channel to thread ${thread}`);
    return channel;
  }

  get framesSent(): number {
    return this.channels.reduce((sum, channel) => sum + channel.framesSent, 0);
  }

  get idle(): boolean {
    return this.channels.every((channel) => channel.idle);
  }

  get hasArrived(): boolean {
    return this.#arrivedHead < this.#arrived.length;
  }

  get arrivedFrames(): readonly Arrived[] {
    return this.#arrived.slice(this.#arrivedHead);
  }

  /** Bytes that wait on this side: arrived and unposted. */
  get waitingBytes(): number {
    return this.channels.reduce((sum, channel) => sum + channel.waitingBytes, this.#arrivedBytes);
  }

  /** Messages that are not yet posted; batches of tasks are none. */
  get outboxes(): QueueDepth {
    const messages = this.channels.reduce((sum, channel) => sum + channel.waitingMessages, 0);
    return { messages, bytes: this.channels.reduce((sum, channel) => sum + channel.waitingBytes, 0) };
  }

  /** Messages in frames that have arrived; batches of tasks are none. */
  get arrivedDepth(): QueueDepth {
    const frames = this.arrivedFrames.map(({ frame }) => frame).filter(holdsMessages);
    return { messages: frames.reduce((sum, { count }) => sum + count, 0), bytes: this.#arrivedBytes };
  }

  /** Takes the oldest arrived frame; its room is given back at the next flush. */
  take(): Frame {
    const { frame, from } = this.#arrived[this.#arrivedHead++];
    if (this.#arrivedHead === this.#arrived.length) {
      this.#arrived = [];
      this.#arrivedHead = 0;
    }
    this.framesTaken++;
    this.#arrivedBytes -= frame.body.length;
    this.#owedCredit[from] += frame.body.length;
    return frame;
  }

  /** Posts outboxes as far as their windows allow, and gives back the room of what was taken. */
  flush(cut: number): void {
    for (const { thread, port } of this.#options.peers) {
      const bytes = this.to(thread).flush(cut, this.#owedCredit[thread]);
      this.#owedCredit[thread] = 0;
      if (bytes > 0) port.post({ kind: 'credit', bytes }, []);
    }
  }

  close(): void {
    for (const { port } of this.#options.peers) port.close();
  }

  /** The same port; frames that are posted on it are told to whoever wants to know. */
  #watched(peer: number, port: Port): Port {
    return {
      post: (item, transfer) => {
        if (item.kind === 'frame' && framesAreWatched()) this.#tell('out', peer, item);
        port.post(item, transfer);
      },
      listen: (receive) => port.listen(receive),
      close: () => port.close(),
    };
  }

  #tell(direction: 'out' | 'in', peer: number, { codec, count, body }: Frame): void {
    publishFrame({ thread: this.#options.thread, peer, direction, codec, count, bytes: body.length });
  }

  /** Each generation has channels of its own, so this cannot be: an assertion, not a decision. */
  #late(frame: Frame, from: number): RangeError {
    return new RangeError(
      `a frame of generation ${frame.generation} came from thread ${from} in generation ${this.#options.generation}`,
    );
  }

  #receive(item: ChannelItem, from: number): void {
    const { arrived, marker, wake } = this.#options;
    switch (item.kind) {
      case 'frame':
        if (item.generation !== this.#options.generation) throw this.#late(item, from);
        if (item.credit > 0) this.to(from).credit(item.credit);
        if (framesAreWatched()) this.#tell('in', from, item);
        arrived(item, from);
        this.#arrived.push({ frame: item, from });
        this.#arrivedBytes += item.body.length;
        break;
      case 'marker':
        marker(item, from);
        break;
      case 'credit':
        this.to(from).credit(item.bytes);
        break;
    }
    wake();
  }
}
