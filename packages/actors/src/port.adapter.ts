import type { MessagePort } from 'node:worker_threads';
import type { ChannelItem } from './messages.ts';
import type { Port } from './port.ts';

/** A MessagePort as the end of a channel. */
export function messagePort(port: MessagePort): Port {
  return {
    post: (item, transfer) => port.postMessage(item, transfer),
    listen(receive) {
      port.on('message', (item: ChannelItem) => receive(item));
    },
    close: () => port.close(),
  };
}
