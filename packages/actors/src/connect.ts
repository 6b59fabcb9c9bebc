import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** One thread's end of the way to another. */
export interface ChannelEnd {
  readonly thread: number;
  readonly port: MessagePort;
}

/** One channel for each pair of threads; a MessagePort pair is a FIFO way in both directions. */
export function connectAll(threads: number): ChannelEnd[][] {
  const ends: ChannelEnd[][] = Array.from({ length: threads }, () => []);
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel();
      ends[a].push({ thread: b, port: port1 });
      ends[b].push({ thread: a, port: port2 });
    }
  }
  return ends;
}
