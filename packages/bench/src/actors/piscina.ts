import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Contender } from './contender.ts';
import { small } from './small.ts';

/** A pool of one thread that may have all that are in flight. It knows calls only: no sends, no actors. */
export async function piscina(inFlight: number): Promise<Contender> {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./echo-worker.js', import.meta.url)),
    name: 'echo',
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: inFlight,
  });
  return { name: 'piscina', ask: (id) => pool.run(small(id)), stop: () => pool.close() };
}
