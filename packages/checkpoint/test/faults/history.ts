import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import {
  type Choice,
  choose,
  decodeBoundary,
  decodeRecord,
  encodeBoundary,
  encodeRecord,
  filesOf,
  Log,
} from '@tidemark/checkpoint/internal';
import { systemClock } from '@tidemark/actors/internal';
import { openFolderStore, type Store } from '@tidemark/stores';
import { sha256 } from '../support/parts.ts';
import { LedgerProcess, type RunOptions } from './child.ts';
import { DamagedStore, type Objects, objectsOf } from './damaged-store.ts';
import type { Stores } from './phases.ts';

export const JOB = 'main';

/** Checkpoints of the first owner: the sixtieth record begins a pass of retention. */
const OF_FIRST_OWNER = 62;
const KEEP = 4;

/** What owners that were killed have left, as it is and as a start sees it. */
export interface History {
  readonly objects: Objects;
  /** Digest of the state of each checkpoint that is there. */
  readonly truth: ReadonlyMap<number, string>;
  readonly newest: number;
  readonly boundary: string;
  /** Names of records, oldest first. */
  readonly records: readonly string[];
  readonly parts: readonly string[];
  /** The newest record of each kind. */
  readonly kinds: { readonly term: string; readonly withFile: string; readonly inline: string };
}

/** Three owners, one after the other killed: records of every kind, parts of every kind, a boundary. */
export async function makeHistory(stores: Stores): Promise<History> {
  const folder = await stores.with(0);
  const place = { store: folder, keep: KEEP };
  await owner(place, OF_FIRST_OWNER, (checkpoint) => checkpoint > OF_FIRST_OWNER - 3);
  await owner(place, 3, (checkpoint) => checkpoint === 1);
  await owner({ ...place, compression: 'gzip' }, 4, (checkpoint) => checkpoint % 2 === 0);
  const objects = new Map(
    [...(await objectsOf(await openFolderStore(folder)))].filter(([name]) => !name.endsWith('.json')),
  );
  const records = namesUnder(objects, 'log');
  const newest = Number(records.at(-1)?.slice(-20));
  const truth = new Map<number, string>();
  const kinds = { term: '', withFile: '', inline: '' };
  for (const name of records) {
    const record = decodeRecord(objects.get(name) ?? new Uint8Array(), name);
    if (record.kind !== 'checkpoint') {
      kinds.term = name;
      continue;
    }
    kinds[filesOf(record).length > 0 ? 'withFile' : 'inline'] = name;
    truth.set(record.position, digestOf(await start(new DamagedStore(objects, new Map()), record.position)));
  }
  const [boundary] = namesUnder(objects, 'gc');
  return { objects, truth, newest, boundary: boundary ?? '', records, parts: namesUnder(objects, 'part'), kinds };
}

/** The same as a job with an output would have left it: each of its checkpoints has released something. */
export function withReleases(history: History): History {
  const objects = new Map(history.objects);
  let previous: string | null = null;
  for (const name of history.records) {
    const record = decodeRecord(bytesOf(history, name), name);
    const chained = { ...record, previous: previous ?? record.previous };
    const bytes = encodeRecord(chained.kind === 'checkpoint' ? { ...chained, releases: true } : chained);
    objects.set(name, bytes);
    previous = sha256(bytes);
    if (Number(name.slice(-20)) !== Number(history.boundary.slice(-20))) continue;
    const boundary = decodeBoundary(bytesOf(history, history.boundary), history.boundary);
    objects.set(history.boundary, encodeBoundary({ ...boundary, hash: previous }));
  }
  return { ...history, objects };
}

export function bytesOf(history: History, name: string): Uint8Array {
  return history.objects.get(name) ?? new Uint8Array();
}

async function owner(
  options: RunOptions,
  checkpoints: number,
  isHeavy: (checkpoint: number) => boolean,
): Promise<void> {
  const child = new LedgerProcess(options);
  await child.hearSurely('ready');
  for (let i = 0; i < checkpoints; i++) await child.checkpoint(isHeavy(i) ? 'checkpoint' : 'light');
  await child.quiet();
  await child.kill();
}

function namesUnder(objects: Objects, folder: string): string[] {
  return [...objects.keys()].filter((name) => name.startsWith(`${JOB}/${folder}/`)).sort();
}

/** What a start over this store would go on from, and what it warned of. */
export async function start(
  store: Store,
  from: number | null = null,
): Promise<Choice & { readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const log = await Log.open(store, JOB, systemClock);
  const options = { fresh: false, from, acceptDuplicates: from !== null, command: String };
  const choice = await choose(log, store, JOB, { ...options, warn: (code) => void warnings.push(code) });
  return { ...choice, warnings };
}

/** Of all that a start would load. */
export function digestOf(choice: Choice): string {
  return createHash('sha256')
    .update(serialize(choice.checkpoint?.parts ?? null))
    .digest('hex');
}
