import type { MessagePort } from 'node:worker_threads';
import type { IoLine } from './io-messages.ts';

/** A MessagePort as a line. */
export function portLine<Out, In>(port: MessagePort): IoLine<Out, In> {
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    listen(receive, ended) {
      port.on('message', receive);
      port.on('close', ended);
    },
    close: () => port.close(),
    hold: (waiting) => (waiting ? port.ref() : port.unref()),
  };
}
