import type { ChannelItem } from './messages.ts';

/** One end of the way between two threads. Items arrive in the order in which they were posted. */
export interface Port {
  post(item: ChannelItem, transfer: readonly ArrayBuffer[]): void;
  listen(receive: (item: ChannelItem) => void): void;
  close(): void;
}
