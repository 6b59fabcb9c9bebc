import { decodeRecord, filesOf, verifyLog } from '@tidemark/checkpoint/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '@tidemark/actors/testing/internal';
import { type Damage, DamagedStore } from './damaged-store.ts';
import { type Corruption, corruptionsOf } from './damages.ts';
import { bytesOf, digestOf, type History, JOB, makeHistory, start, withReleases } from './history.ts';
import { Stores } from './phases.ts';
import { SEED, share, TIMEOUT_MS, whole } from './share.ts';

const LEAST = 10_000;

/** What a start made of a damaged store. */
type Start = 'refused' | 'passed over with a warning' | 'not in its way' | 'the end is gone';

/** A store with a real history is damaged in thousands of ways; proving tries all of them. */
export function corruptions(): void {
  describe('damage to a store', () => {
    let stores: Stores;
    let history: History;
    beforeAll(async () => {
      stores = new Stores();
      history = await makeHistory(stores);
    });
    afterAll(() => stores.remove());

    it('is none where there is none', { timeout: TIMEOUT_MS }, async () => {
      const store = new DamagedStore(history.objects, new Map());
      expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
      const choice = await start(store);
      expect(choice.checkpoint?.record.position).toBe(history.newest);
      expect(digestOf(choice)).toBe(history.truth.get(history.newest));
      expect(history.truth.size).toBeGreaterThan(8);
      expect(Object.values(history.kinds)).not.toContain('');
      expect(longestChain(history), 'files of one part').toBeGreaterThan(1);
      expect(history.parts.length).toBeGreaterThan(3);
    });

    it('of any kind is found by verify, and no start goes on from anything but a true state', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const all = corruptionsOf(history, new Chance(SEED));
      expect(all.length).toBeGreaterThan(LEAST);
      const chosen = share(all);
      const starts = new Map<Start, number>();
      const kinds = new Map<string, number>();
      const silent: string[] = [];
      let tried = 0;
      for (const corruption of chosen) {
        const damage = corruption.damage();
        if (changesNothing(history, damage)) continue;
        tried++;
        const lostEnd = isLostEnd(history, corruption);
        const found = await isFound(history, damage);
        if (!found && !lostEnd) silent.push(`verify: ${corruption.kind} ${corruption.what}`);
        const outcome = await startOver(history, corruption, damage, lostEnd);
        starts.set(outcome, (starts.get(outcome) ?? 0) + 1);
        kinds.set(corruption.kind, (kinds.get(corruption.kind) ?? 0) + 1);
      }
      console.log(
        `corruption: ${tried} of ${all.length}${whole ? '' : `, seed ${SEED}`} (${figuresOf(kinds)}); ` +
          `${silent.length} not found by verify; starts: ${figuresOf(starts)}`,
      );
      expect(silent).toEqual([]);
    });

    it('of a checkpoint that has released something is never passed over', { timeout: TIMEOUT_MS }, async () => {
      const released = withReleases(history);
      const newest = newestObjects(released);
      const ofNewest = corruptionsOf(released, new Chance(SEED)).filter(({ what }) =>
        newest.some((name) => what.includes(name)),
      );
      const chosen = share(ofNewest);
      const starts = new Map<Start, number>();
      for (const corruption of chosen) {
        const damage = corruption.damage();
        if (changesNothing(released, damage)) continue;
        const outcome = await startOver(released, corruption, damage, isLostEnd(released, corruption));
        starts.set(outcome, (starts.get(outcome) ?? 0) + 1);
      }
      const { length } = ofNewest;
      console.log(
        `corruption: ${chosen.length} of ${length} of a newest checkpoint that has released something: ${figuresOf(starts)}`,
      );
      expect(starts.get('passed over with a warning') ?? 0).toBe(0);
      expect(starts.get('refused') ?? 0).toBeGreaterThan(chosen.length / 2);
    });
  });
}

function figuresOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

/** A full file, and what has changed since. */
function longestChain(history: History): number {
  const records = history.records.map((name) => decodeRecord(bytesOf(history, name), name));
  const parts = records.flatMap((record) => (record.kind === 'checkpoint' ? record.parts : []));
  return Math.max(...parts.map(({ files }) => files.length));
}

/** The newest record, and the files that only a start from it reads. */
function newestObjects(history: History): readonly string[] {
  const name = history.records.at(-1) ?? '';
  const record = decodeRecord(bytesOf(history, name), name);
  const files = record.kind === 'checkpoint' ? filesOf(record) : [];
  return [name, ...files];
}

function changesNothing(history: History, damage: Damage): boolean {
  return [...damage].every(([name, bytes]) => {
    const before = history.objects.get(name);
    return bytes !== null && before !== undefined && Buffer.compare(bytes, before) === 0;
  });
}

/** The newest record is not there: a log that ends one record earlier looks the same, so nobody can tell from it alone. */
function isLostEnd(history: History, { kind, what }: Corruption): boolean {
  return kind === 'missing' && what === history.records.at(-1);
}

async function isFound(history: History, damage: Damage): Promise<boolean> {
  const { findings } = await verifyLog(new DamagedStore(history.objects, damage), JOB, null);
  return findings.length > 0;
}

/** Throws when a start would go on from a state that never was, or silently from an older one. */
async function startOver(history: History, corruption: Corruption, damage: Damage, lostEnd: boolean): Promise<Start> {
  const told = (problem: string): Error => new Error(`${corruption.kind} ${corruption.what}: ${problem}`);
  let choice: Awaited<ReturnType<typeof start>>;
  try {
    choice = await start(new DamagedStore(history.objects, damage));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CHECKPOINT_DAMAGED') return 'refused';
    throw new Error(told('the start threw').message, { cause: error });
  }
  const position = choice.checkpoint?.record.position;
  if (position === undefined) throw told('the start began anew');
  if (digestOf(choice) !== history.truth.get(position)) throw told(`the state of checkpoint ${position} is another`);
  if (position === history.newest) return 'not in its way';
  if (choice.warnings.includes('CHECKPOINT_DAMAGED')) return 'passed over with a warning';
  if (lostEnd) return 'the end is gone';
  throw told(`the start went back to checkpoint ${position} without a word`);
}
