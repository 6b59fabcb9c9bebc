import type { MessagePort } from 'node:worker_threads';
import { openStoreHere } from '../open-store-here.ts';
import type { FromStore, ToStore } from './io-messages.ts';
import { portLine } from './io-port.adapter.ts';
import { StoreServer } from './store-server.ts';

/** What the I/O thread is handed: one store to open, and the line to those who call it. */
export interface IoTask {
  readonly location: string;
  readonly port: MessagePort;
}

/**
 * One store in the I/O thread. Wiring only. The task ends at once and the store stays, as long as its line: a task that
 * goes on would keep the process alive.
 */
export default function serve({ location, port }: IoTask): void {
  void StoreServer.run(() => openStoreHere(location), portLine<FromStore, ToStore>(port));
}
