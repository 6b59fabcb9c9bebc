/** A way by hand between two threads: three manners of packing, the same credit as the actors have. */
import type { MessagePort } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import { BURST, BURSTS, type Small, small } from './small.ts';

/** `one`: each message is posted alone; `clone`: arrays of them; `msgpackr`: arrays, packed as records. */
export type Manner = 'one' | 'clone' | 'msgpackr';

/** Marks an answer that is only credit. */
const CREDIT = -1;

const packr = new Packr({ useRecords: true });

function post(port: MessagePort, manner: Manner, items: readonly Small[]): void {
  if (manner === 'one') for (const item of items) port.postMessage(item);
  else if (manner === 'clone') port.postMessage(items);
  else {
    // What the packer answers is a view of its own buffer.
    const bytes = new Uint8Array(packr.pack(items));
    port.postMessage(bytes, [bytes.buffer]);
  }
}

function listen(port: MessagePort, manner: Manner, take: (items: readonly Small[]) => void): void {
  port.on('message', (data: unknown) => {
    if (manner === 'one') take([data as Small]);
    else take(manner === 'clone' ? (data as Small[]) : (packr.unpack(data as Uint8Array) as Small[]));
  });
}

/** Takes messages, gives credit after each burst, and answers asks. */
export function serve(port: MessagePort, manner: Manner): void {
  let taken = 0;
  let sum = 0;
  listen(port, manner, (items) => {
    const answers: Small[] = [];
    for (const item of items) {
      if (item.id > 0) answers.push(item);
      else {
        sum += item.amount;
        if (++taken % BURST === 0) answers.push({ ...small(CREDIT), amount: sum });
      }
    }
    if (answers.length > 0) post(port, manner, answers);
  });
}

/** The other end: pours messages, or asks. */
export class Source {
  readonly #port: MessagePort;
  readonly #manner: Manner;
  readonly #asks = new Map<number, (answer: Small) => void>();
  #outbox: Small[] = [];
  #credit: () => void = () => undefined;

  constructor(port: MessagePort, manner: Manner) {
    this.#port = port;
    this.#manner = manner;
    listen(port, manner, (items) => {
      for (const item of items) {
        if (item.id === CREDIT) this.#credit();
        else {
          this.#asks.get(item.id)?.(item);
          this.#asks.delete(item.id);
        }
      }
    });
  }

  /** Messages a second, from the first that is sent to the last that is known to be taken. */
  pour(count: number): Promise<number> {
    let unsent = count;
    let untaken = count;
    const burst = (): void => {
      if (unsent === 0) return;
      unsent -= BURST;
      post(
        this.#port,
        this.#manner,
        Array.from({ length: BURST }, () => small(0)),
      );
    };
    return new Promise((resolve) => {
      const began = performance.now();
      this.#credit = () => {
        untaken -= BURST;
        if (untaken === 0) resolve((count * 1000) / (performance.now() - began));
        else burst();
      };
      for (let i = 0; i < BURSTS; i++) burst();
    });
  }

  /** Asks of one turn of the event loop travel together, except one by one. */
  ask(id: number): Promise<Small> {
    return new Promise((resolve) => {
      this.#asks.set(id, resolve);
      if (this.#manner === 'one') this.#port.postMessage(small(id));
      else if (this.#outbox.push(small(id)) === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    post(this.#port, this.#manner, this.#outbox);
    this.#outbox = [];
  }
}
