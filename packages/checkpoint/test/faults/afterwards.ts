import { createSystem } from '@tidemark/checkpoint';
import { type Verified, verifyLog } from '@tidemark/checkpoint/internal';
import { openFolderStore } from '@tidemark/stores';
import { COPY_OF, Ledger, LEDGERS } from '../fixtures/ledger.mjs';
import type { Acked } from './child.ts';

const ACTORS = [new URL('../fixtures/ledger.mjs', import.meta.url)];
const ROUNDS_MAX = 1_000;

/** What a new start found. */
export interface Afterwards {
  /** Position of the checkpoint that it went on from; null for a beginning. */
  readonly from: number | null;
  readonly notes: number;
  readonly verified: Verified;
}

/**
 * Starts again over what a fault has left, goes on, and throws unless the log is whole, what was acknowledged is there,
 * and each note is there once.
 */
export async function afterwards(folder: string, acked: Acked | null): Promise<Afterwards> {
  const store = await openFolderStore(folder);
  assertWhole(await verifyLog(store, 'main', null), 'before the start');
  let from: number | null = null;
  const system = await createSystem({
    actors: ACTORS,
    store: folder,
    workers: 2,
    schedule: '1h',
    keep: KEEP,
    inline: true,
    observe: (event) => {
      if (event.kind === 'term') from = event.from;
      if (event.kind === 'warning') throw new Error(`the start warned: ${event.code} ${event.message}`);
    },
  });
  try {
    const notes = await settledNotes((key) => system.ask(system.ref(Ledger, key)).notes());
    assertReached({ position: from ?? 0, notes }, acked);
    await system.checkpoint();
    await system.stop();
    const verified = await verifyLog(store, 'main', null);
    assertWhole(verified, 'after the start');
    return { from, notes, verified };
  } catch (error) {
    await system.stop().catch(() => undefined);
    throw error;
  }
}

/** Fewer than the stores of these tests hold, so that the new start also removes old ones. */
const KEEP = 5;

export function assertWhole(verified: Verified, when: string): void {
  const [first] = verified.findings;
  if (first === undefined) return;
  throw new Error(`${when}: ${verified.findings.length} findings, ${first.object} ${first.code} ${first.message}`);
}

/** Nothing that was acknowledged is lost. */
function assertReached(found: Acked, acked: Acked | null): void {
  if (acked === null) return;
  if (found.position >= acked.position && found.notes >= acked.notes) return;
  throw new Error(`acknowledged ${JSON.stringify(acked)}, and a new start found ${JSON.stringify(found)}`);
}

/** Waits for the copies, then counts the notes: each must be there once, in order, and none left out. */
async function settledNotes(ask: (key: string) => Promise<readonly number[]>): Promise<number> {
  let notes = 0;
  const kept = await Promise.all(LEDGERS.map(ask));
  for (const [i, list] of kept.entries()) {
    assertSequence(LEDGERS[i] ?? '', list, i);
    let copy = await ask(COPY_OF + LEDGERS[i]);
    for (let round = 0; copy.length < list.length && round < ROUNDS_MAX; round++)
      copy = await ask(COPY_OF + LEDGERS[i]);
    if (copy.join() !== list.join())
      throw new Error(`ledger ${LEDGERS[i]} holds ${list.join()}, its copy ${copy.join()}`);
    notes += list.length;
  }
  // Note n went to ledger n % 4, so a whole beginning of all notes fills the ledgers evenly, the first ones first.
  for (const [i, list] of kept.entries()) {
    const expected = Math.ceil((notes - i) / LEDGERS.length);
    if (list.length !== expected) throw new Error(`of ${notes} notes, ledger ${LEDGERS[i]} holds ${list.length}`);
  }
  return notes;
}

function assertSequence(key: string, list: readonly number[], first: number): void {
  const wrong = list.findIndex((note, i) => note !== first + i * LEDGERS.length);
  if (wrong >= 0) throw new Error(`ledger ${key} holds ${list.join()}: its note ${wrong} is lost or doubled`);
}
