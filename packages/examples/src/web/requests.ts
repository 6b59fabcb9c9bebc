import { type AskOptions, Refusal } from 'tidemark';

/** The name in a path, as the key of an actor. */
export function nameOf(text: string): string {
  if (/^[\w-]{1,40}$/.test(text)) return text;
  throw new Refusal('NAME_INVALID', 'a name has up to 40 letters, digits, _ and -');
}

/** `?before=3`: the visits that the client knows of; null where it does not care. */
export function beforeOf(text: unknown): number | null {
  return text === undefined ? null : Number(text);
}

/**
 * A visit is answered when a checkpoint has it, so that what a client was told is never undone. With an `Idempotency-Key` it
 * may ask again after whatever error: the visit is counted once.
 */
export function askOf(idempotencyKey: string | string[] | undefined): AskOptions {
  const release = 'after-checkpoint';
  return typeof idempotencyKey === 'string' ? { release, requestId: idempotencyKey } : { release };
}
