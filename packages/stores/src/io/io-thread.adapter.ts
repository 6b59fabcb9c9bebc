import { createRequire } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { FromStore, IoLine, ToStore } from './io-messages.ts';
import type { IoTask } from './io-entry.ts';
import { portLine } from './io-port.adapter.ts';

/** Asked for only where a store needs a thread of its own. */
const require = createRequire(import.meta.url);

let pool: Piscina | null = null;
let stores = 0;

/**
 * Opens a store in the I/O thread of this process, which is started with the first one and ends with the last one: the store's
 * client is loaded there, and its credentials are used there. A thread that dies is replaced by the pool.
 */
export function storeThread(location: string): IoLine<ToStore, FromStore> {
  const { port1, port2 } = new MessageChannel();
  const running = (pool ??= newPool());
  stores++;
  port1.once('close', () => {
    if (--stores > 0 || pool !== running) return;
    pool = null;
    void running.destroy();
  });
  running.run({ location, port: port2 } satisfies IoTask, { transferList: [port2] }).catch(() => port1.close());
  return portLine<ToStore, FromStore>(port1);
}

function newPool(): Piscina {
  const { Piscina } = require('piscina') as typeof import('piscina');
  const made = new Piscina({
    filename: new URL('./io-door.cjs', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    atomics: 'disabled',
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
  });
  // Deaths are seen by the tasks; without a listener the same error would end the process.
  made.on('error', () => undefined);
  return made;
}
