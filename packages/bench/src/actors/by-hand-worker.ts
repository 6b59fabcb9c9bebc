/** A thread of the way by hand: serves a port, pours into one, or measures bare objects. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { heapBytes } from './heap.ts';
import { type Manner, serve, Source } from './link.ts';
import { BURST, BURSTS, small } from './small.ts';

export type Order =
  | { readonly kind: 'serve'; readonly port: MessagePort; readonly manner: Manner }
  | { readonly kind: 'source'; readonly port: MessagePort; readonly manner: Manner }
  | { readonly kind: 'pour' | 'in-thread' | 'objects'; readonly count: number };

let source: Source | null = null;

parentPort?.on('message', (order: Order) => {
  switch (order.kind) {
    case 'serve':
      serve(order.port, order.manner);
      break;
    case 'source':
      source = new Source(order.port, order.manner);
      break;
    case 'pour':
      void source?.pour(order.count).then((rate) => parentPort?.postMessage(rate));
      break;
    case 'in-thread':
      void mailbox(order.count).then((rate) => parentPort?.postMessage(rate));
      break;
    case 'objects':
      parentPort?.postMessage(objects(order.count));
      break;
  }
});

/** An array as a mailbox; each message is copied when it is sent, and taken in a microtask. */
async function mailbox(count: number): Promise<number> {
  let sum = 0;
  const began = performance.now();
  for (let sent = 0; sent < count; sent += BURST * BURSTS) {
    const mail: ReturnType<typeof small>[] = [];
    for (let i = 0; i < BURST * BURSTS; i++) mail.push({ ...small(i) });
    await Promise.resolve();
    for (const message of mail) sum += message.amount;
  }
  if (sum < count) throw new Error('messages were lost');
  return (count * 1000) / (performance.now() - began);
}

function objects(count: number): number {
  const before = heapBytes();
  const all = new Map<string, { n: number }>();
  for (let i = 0; i < count; i++) all.set(String(i), { n: 1 });
  const bytes = heapBytes() - before;
  return all.size === count ? bytes / count : Number.NaN;
}
