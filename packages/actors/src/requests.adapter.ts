import { createRequire } from 'node:module';
import type * as Crypto from 'node:crypto';
import { encodeValueInPlace } from './codec.ts';
import type { Envelope } from './messages.ts';

/** Loaded with the first request: most programs have none. */
const require = createRequire(import.meta.url);

/** Tells requests with the same handler and arguments from others. */
export function digestOf({ handler, args }: Envelope): string {
  const { createHash } = require('node:crypto') as typeof Crypto;
  return createHash('sha256')
    .update(encodeValueInPlace([handler, args]))
    .digest('base64');
}
