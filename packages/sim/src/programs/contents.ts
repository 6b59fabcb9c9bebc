import { decodeValue, type Envelope, unpackMessages } from '@tidemark/actors/internal';
import type { PartContent } from '@tidemark/checkpoint/internal';

/** One unit with its value. */
export interface Unit {
  readonly key: string;
  readonly table: string;
  readonly tableKey: string | number | null;
  readonly value: unknown;
}

/** Units of one definition. A unit that is there twice is a violation by itself. */
export function unitsOf(parts: readonly PartContent[], type: string): readonly Unit[] {
  const seen = new Set<string>();
  return parts
    .flatMap(({ units }) => units)
    .filter((unit) => unit.type === type)
    .map(({ key, table, tableKey, value }) => {
      const name = `${type}/${key}/${table}/${String(tableKey)}`;
      if (seen.has(name)) throw new Error(`unit ${name} is in the cut twice`);
      seen.add(name);
      return { key, table, tableKey, value: decodeValue(value) };
    });
}

/** All messages on their way to one handler, in the order in which a restore would deliver them. */
export function messagesTo(parts: readonly PartContent[], type: string, handler: string): readonly Envelope[] {
  const found: Envelope[] = [];
  for (const where of ['mail', 'channels', 'outboxes'] as const) {
    for (const part of parts) {
      for (const { body } of part[where]) {
        for (const envelope of unpackMessages(body)) {
          if (envelope.type === type && envelope.handler === handler) found.push(envelope);
        }
      }
    }
  }
  return found;
}
