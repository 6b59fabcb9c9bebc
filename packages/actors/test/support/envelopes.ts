import type { Envelope } from '@tidemark/actors/internal';

/** The fields of a message that say something, as a plain object: what came out of a frame, to be compared with what went in. */
export function plainEnvelope(envelope: Envelope): object {
  return Object.fromEntries(Object.entries(envelope).filter(([, field]) => field !== undefined));
}
