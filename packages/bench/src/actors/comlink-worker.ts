/** A thread that exposes an object by Comlink. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import type { Small } from './small.ts';

export const exposed = { echo: (message: Small): Small => message };

parentPort?.once('message', (port: MessagePort) => expose(exposed, port));
