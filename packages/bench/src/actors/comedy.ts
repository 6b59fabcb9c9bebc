import { createSystem } from 'comedy';
import type { Contender } from './contender.ts';
import { heapBytes } from './heap.ts';
import { BURST, type Small, small } from './small.ts';

/** Fewer than for the others, so that the run stays short. */
const ACTORS = 20_000;

/** Its definition goes to the thread as text. */
class Sink {
  sum = 0;
  taken = 0;
  take(message: Small): void {
    this.sum += message.amount;
    this.taken++;
  }
  total(): number {
    return this.taken;
  }
  echo(message: Small): Small {
    return message;
  }
}

/** What is used of an actor of comedy. */
interface Remote {
  send(topic: string, message: unknown): PromiseLike<unknown>;
  sendAndReceive(topic: string, message?: unknown): PromiseLike<unknown>;
}

/** An actor in a thread, one in this thread. `test` turns its log off. */
export async function comedy(): Promise<Contender> {
  const system = createSystem({ test: true });
  const root = await system.rootActor();
  const far = (await root.createChild(Sink, { mode: 'threaded' })) as unknown as Remote;
  const near = (await root.createChild(Sink, { mode: 'in-memory' })) as unknown as Remote;
  return {
    name: 'comedy',
    inThread: (count) => pour(near, count),
    fromHost: (count) => pour(far, count),
    ask: async (id) => far.sendAndReceive('echo', small(id)),
    async bytesPerActor() {
      const before = heapBytes();
      const kept: unknown[] = [];
      for (let i = 0; i < ACTORS; i++) {
        const tiny = (await root.createChild(Sink, { mode: 'in-memory' })) as unknown as Remote;
        await tiny.send('take', small(0));
        kept.push(tiny);
      }
      return { actors: kept.length, bytes: (heapBytes() - before) / kept.length };
    },
    async stop() {
      await system.destroy();
    },
  };
}

async function pour(to: Remote, count: number): Promise<number> {
  const before = (await to.sendAndReceive('total')) as number;
  const began = performance.now();
  for (let sent = 0; sent < count; sent += BURST) {
    const all: PromiseLike<unknown>[] = [];
    for (let i = 0; i < BURST; i++) all.push(to.send('take', small(0)));
    await Promise.all(all);
  }
  // An answer may come before what was sent earlier has been taken.
  for (;;) {
    const taken = ((await to.sendAndReceive('total')) as number) - before;
    if (taken === count) return (count * 1000) / (performance.now() - began);
    if (performance.now() - began > 60_000) throw new Error(`comedy took ${taken} of ${count} messages in 60 s`);
  }
}
