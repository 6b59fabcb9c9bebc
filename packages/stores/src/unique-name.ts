import { randomUUID } from 'node:crypto';

/** A name that no other process or thread makes. The only randomness of this package: injected, so that tests can fix it. */
export function uniqueName(): string {
  return randomUUID();
}
