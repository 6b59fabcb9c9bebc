import type { AnyActor } from '@tidemark/actors';
import { definitions, type FileBytes, isOwnTable } from '@tidemark/actors/internal';
import { renames } from './mapping/fate.ts';
import { tablesOf } from './mapping/migrate.ts';
import type { Mapping } from './mapping/program.ts';
import type { PartContent, PartFileContent } from './part.ts';
import type { Placement } from './recovery.ts';
import type { CheckpointRecord } from './record.ts';

/**
 * The files of each thread, the newest first, where every unit is at home in the thread that wrote it and goes on as it is: then
 * nobody needs to look at each of them before its own thread does. Null where that is not so, or not known.
 */
export function homeFiles(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  workers: number,
  placement: Placement,
  mapping: Mapping,
): readonly (readonly FileBytes[])[] | null {
  if (renames(mapping, record).size > 0) return null;
  if (parts.length !== workers + 1 || record.parts.some(({ thread }, i) => thread !== i)) return null;
  const all: FileBytes[][] = [];
  for (const [thread, { files = [] }] of parts.entries()) {
    if (files.length === 0 || !files.every((file) => isHome(record, file, thread, placement, mapping))) return null;
    all.push(files.map(({ bytes }) => bytes).toReversed());
  }
  return all;
}

function isHome(
  record: CheckpointRecord,
  file: PartFileContent,
  thread: number,
  placement: Placement,
  mapping: Mapping,
): boolean {
  if (file.holds === null) return false;
  return file.holds.every(([type, table]) => {
    // A job keeps every unit where it is as long as the number of workers is the same.
    if (placement.knows(type)) return thread !== 0;
    const definition = definitions().get(type);
    if (definition === undefined || mapping.drop.includes(type)) return false;
    if ((definition.place === 'host') !== (thread === 0)) return false;
    const stored = record.definitions[type];
    if (stored !== undefined && stored !== definition.version) return false;
    return table === '' || isOwnTable(table) || hasTable(definition, file.firstKey(type, table), table);
  });
}

function hasTable(definition: AnyActor, key: string | null, table: string): boolean {
  // Only tombstones: there is nothing to load.
  return key === null || tablesOf(definition, key).has(table);
}
