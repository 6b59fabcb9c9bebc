import type { MessagePort } from 'node:worker_threads';
import type { ChannelItem, Frame } from './messages.ts';
import type { Port } from './port.ts';

/** A frame as it is posted: a clone writes and reads the names of an object's fields one by one, which takes a third of a post. */
type PostedFrame = readonly [number, number, number, number, Frame['codec'], number, Uint8Array];

/** A MessagePort as the end of a channel. */
export function messagePort(port: MessagePort): Port {
  return {
    post: (item, transfer) => port.postMessage(item.kind === 'frame' ? toPosted(item) : item, transfer),
    listen(receive) {
      port.on('message', (item: ChannelItem | PostedFrame) => receive('kind' in item ? item : fromPosted(item)));
    },
    close: () => port.close(),
  };
}

function toPosted({ generation, cut, seq, credit, codec, count, body }: Frame): PostedFrame {
  return [generation, cut, seq, credit, codec, count, body];
}

function fromPosted([generation, cut, seq, credit, codec, count, body]: PostedFrame): Frame {
  return { kind: 'frame', generation, cut, seq, credit, codec, count, body };
}
