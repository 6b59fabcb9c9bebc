import { createHash } from 'node:crypto';
import { encodeValueInPlace } from './codec.ts';
import type { Envelope } from './messages.ts';

/** Tells requests with the same handler and arguments from others. */
export function digestOf({ handler, args }: Envelope): string {
  return createHash('sha256')
    .update(encodeValueInPlace([handler, args]))
    .digest('base64');
}
