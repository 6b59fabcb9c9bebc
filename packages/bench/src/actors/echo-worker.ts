/** What a worker of Piscina does: it gives back its argument. */
import type { Small } from './small.ts';

export function echo(message: Small): Small {
  return message;
}
