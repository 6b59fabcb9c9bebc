import type { AnyActor } from '@tidemark/actors';
import { decodeValue, type Envelope } from '@tidemark/actors/internal';
import {
  mapCheckpoint,
  type MappedCheckpoint,
  type Mapping,
  NO_MAPPING,
  type PartWriter,
  type PlanRow,
  readPart,
} from '@tidemark/checkpoint/internal';
import { writePart } from './parts.ts';
import { recordOf } from './records.ts';

export const on = { take: (_ctx: object, _n: number): void => undefined };

/** A program of these definitions, and of a task named `job`. */
export function map(
  definitions: readonly AnyActor[],
  stored: Readonly<Record<string, number>>,
  write: (writer: PartWriter) => void,
  mapping: Partial<Mapping> = {},
): MappedCheckpoint {
  const part = readPart(writePart(write).bytes);
  const program = {
    definitions: new Map(definitions.map((definition) => [definition.name, definition])),
    isTask: (name: string) => name === 'job',
  };
  const record = recordOf({ position: 9, definitions: stored });
  return mapCheckpoint(record, [part], program, { ...NO_MAPPING, ...mapping });
}

export function message(type: string, args: readonly unknown[], handler = 'take'): Envelope {
  return { type, key: 'a', handler, args, reply: null };
}

/** Units as `type/key table[tableKey]` and value. */
export function units({ units: all }: MappedCheckpoint): unknown[] {
  return all.map(({ type, key, table: name, tableKey, value }) => {
    const where = name === '' ? '' : ` ${name}[${String(tableKey)}]`;
    return [`${type}/${key}${where}`, decodeValue(value)];
  });
}

export function messages({ motion }: MappedCheckpoint): unknown[] {
  return motion.flatMap((each): readonly unknown[] => (each.kind === 'messages' ? each.envelopes : [each.batch]));
}

export function row({ rows }: MappedCheckpoint, type: string): PlanRow {
  return rows.find((each) => each.type === type)!;
}

export function refusals({ refusals: all }: MappedCheckpoint): string[] {
  return all.map(({ code, message: text }) => `${code}: ${text}`);
}
