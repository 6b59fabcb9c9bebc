import { decodeRecord, type LogRecord, verifyLog } from '@tidemark/checkpoint/internal';
import { openFolderStore } from '@tidemark/stores';
import { Chance } from '@tidemark/actors/testing/internal';
import { assertWhole } from './afterwards.ts';
import { JOB, start } from './history.ts';
import { Interleaving, type StoreCall } from './paused-store.ts';
import { RacingOwner } from './racing-owner.ts';

/** What happened in one race. */
export interface Race {
  readonly fenced: number;
  readonly refused: number;
  readonly released: number;
  readonly deleted: number;
  /** Names of records that a sleeper took again after they had been removed. */
  readonly recreated: number;
}

const LATE_STEPS_MAX = 200;
/** Checkpoints of the winner after the others are out. */
const ALONE = 6;

/** Two or three owners of one job over one folder, in an order that the seed chooses. Throws when more than one has an effect. */
export async function race(seed: number, folder: string, { looks = true } = {}): Promise<Race> {
  const chance = new Chance(seed);
  const interleaving = new Interleaving(chance);
  const calls: StoreCall[] = [];
  const ownerNamed = async (name: string): Promise<RacingOwner> => {
    const store = await openFolderStore(folder);
    const seen = interleaving.seenBy(name, store, (call) => calls.push(call));
    return new RacingOwner(name, seen, interleaving.clock);
  };
  const owners = await Promise.all(
    chance
      .pick([
        ['a', 'b'],
        ['a', 'b', 'c'],
      ])
      .map(ownerNamed),
  );
  for (const owner of owners) owner.looks = looks;
  for (const { name } of owners) if (chance.isTrue(0.5)) interleaving.sleep(name, chance.below(LATE_STEPS_MAX));
  await interleaving.run(Promise.all(owners.map((owner) => owner.live(aloneFor(owner, owners)))));
  const records = storedRecords(calls);
  assertOneWinner(owners);
  assertReleasesCount(owners, records);
  assertGoesOn(records);
  assertDeletionsBehindBoundary(calls);
  const winner = owners.find(({ ended }) => ended === null);
  await assertLeft(folder, winner?.released.at(-1)?.position);
  return {
    fenced: owners.filter(({ ended }) => ended?.code === 'FENCED').length,
    refused: owners.filter(({ ended }) => ended?.code === 'ALREADY_RUNNING').length,
    released: owners.flatMap(({ released }) => released).length,
    deleted: calls.filter(({ what }) => what === 'delete').length,
    recreated: records.length - firsts(records).size,
  };
}

/** The others are out, and it has gone on for a while. */
function aloneFor(owner: RacingOwner, owners: readonly RacingOwner[]): () => boolean {
  let since: number | null = null;
  return () => {
    if (!owners.every((other) => other === owner || other.ended !== null)) return false;
    since ??= owner.released.length;
    return owner.released.length >= since + ALONE;
  };
}

interface Stored {
  readonly owner: string;
  readonly record: LogRecord;
}

/** Records in the order in which they were put. */
function storedRecords(calls: readonly StoreCall[]): Stored[] {
  return calls.flatMap(({ owner, what, name, bytes, answer }) => {
    if (what !== 'putIfAbsent' || answer !== 'stored' || bytes === null || !name.startsWith(`${JOB}/log/`)) return [];
    return [{ owner, record: decodeRecord(bytes, name) }];
  });
}

/** The record that counts at each position: later ones took a name that was removed. */
function firsts(records: readonly Stored[]): Map<number, Stored> {
  const first = new Map<number, Stored>();
  for (const stored of records) if (!first.has(stored.record.position)) first.set(stored.record.position, stored);
  return first;
}

function assertOneWinner(owners: readonly RacingOwner[]): void {
  const told = owners.map(({ name, ended, term }) => `${name} (term ${term}) ${ended?.code ?? 'won'}`).join(', ');
  if (owners.filter(({ ended }) => ended === null).length !== 1) throw new Error(`not one winner: ${told}`);
  for (const { ended, term } of owners) {
    const expected = term > 0 ? ['FENCED'] : ['FENCED', 'ALREADY_RUNNING'];
    if (ended !== null && !expected.includes(ended.code))
      throw new Error(`a loser ended otherwise: ${told}`, { cause: ended });
  }
}

/** What the world saw of each owner is its own record, put before any later owner began. */
function assertReleasesCount(owners: readonly RacingOwner[], records: readonly Stored[]): void {
  const counts = firsts(records);
  for (const { owner, term, position } of owners.flatMap(({ released }) => released)) {
    const stored = counts.get(position);
    const said = `${owner} released ${position} of term ${term}`;
    if (stored?.owner !== owner || stored.record.term !== term) {
      throw new Error(`${said}, where ${stored?.owner} has put a record of term ${stored?.record.term}`);
    }
    for (const { record } of counts.values()) {
      if (record.position < position && record.term > term)
        throw new Error(`${said}, after term ${record.term} had begun`);
    }
  }
}

/** Positions without gaps, terms that rise, and each owner goes on from the newest checkpoint before it: nothing is lost. */
function assertGoesOn(records: readonly Stored[]): void {
  const counts = firsts(records);
  let newest: number | 'fresh' = 'fresh';
  let term = 0;
  for (let position = 1; position <= counts.size; position++) {
    const record = counts.get(position)?.record;
    if (record === undefined) throw new Error(`nothing was ever put at ${position}`);
    if (record.kind === 'term' ? record.term <= term : record.term !== term) {
      throw new Error(`${position} is a ${record.kind} of term ${record.term}, after one of term ${term}`);
    }
    term = record.term;
    if (record.kind === 'checkpoint') newest = position;
    else if (record.kind === 'gap' || record.from !== newest)
      throw new Error(`term ${term} went on from ${record.kind === 'gap' ? 'a gap' : record.from}, not from ${newest}`);
  }
}

/** Nothing is removed before a boundary above it is there. */
function assertDeletionsBehindBoundary(calls: readonly StoreCall[]): void {
  let boundary = 0;
  for (const { what, name, owner } of calls) {
    const position = Number(/\/(?:gc|log)\/(\d{20})$/.exec(name)?.[1] ?? 0);
    if (what === 'putIfAbsent' && name.startsWith(`${JOB}/gc/`)) boundary = Math.max(boundary, position);
    if (what === 'delete' && position >= boundary && boundary > 0)
      throw new Error(`${owner} removed ${name}, with the boundary at ${boundary}`);
    if (what === 'delete' && boundary === 0) throw new Error(`${owner} removed ${name} without a boundary`);
  }
}

/** The folder is whole, and a start goes on from the winner's last checkpoint. */
async function assertLeft(folder: string, newest: number | undefined): Promise<void> {
  const store = await openFolderStore(folder);
  assertWhole(await verifyLog(store, JOB, null), 'after the race');
  const choice = await start(store);
  const found = choice.checkpoint?.record.position;
  if (found !== newest) throw new Error(`a start goes on from ${found}, not from the winner's ${newest}`);
}
