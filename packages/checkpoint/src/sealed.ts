import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';

/** The form of all small objects of a store that are no records: JSON, a line feed, the sha256 of it, a line feed. */
export function encodeSealed(value: object): Uint8Array {
  const text = JSON.stringify(value);
  return new TextEncoder().encode(`${text}\n${sha256(new TextEncoder().encode(text))}\n`);
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` */
export function decodeSealed(bytes: Uint8Array, name: string): unknown {
  const [text = '', hash] = new TextDecoder().decode(bytes).split('\n');
  if (sha256(new TextEncoder().encode(text)) !== hash) {
    throw new CheckpointError('CHECKPOINT_DAMAGED', `${name}: the sha256 at its end does not fit`);
  }
  return JSON.parse(text);
}
