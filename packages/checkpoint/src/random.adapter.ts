import { randomBytes } from 'node:crypto';

/** A name that nobody else will choose: put ids and part names. */
export function randomId(): string {
  return randomBytes(8).toString('hex');
}

/** In [0, 1). */
export function random(): number {
  return Math.random();
}
