import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLog } from '@tidemark/checkpoint/internal';
import { openFolderStore } from '@tidemark/stores';
import { afterwards } from './afterwards.ts';
import type { Fault, LedgerProcess } from './child.ts';
import { type Phase, PHASES, Stores } from './phases.ts';
import { SEED, share, skipFor, TIMEOUT_MS, whole } from './share.ts';
import { numbersNear, pointsOf, tracedRun } from './traced-run.ts';
import type { Point } from './trace-log.ts';
import { type Injection, reasonNotToTrace } from './tracer.ts';

/** What a call may answer, and what a person must be told then. */
const CODES = {
  EIO: 'STORE_IO',
  ENOSPC: 'STORE_FULL',
  EROFS: 'STORE_READ_ONLY',
  EACCES: 'STORE_DENIED',
  EMFILE: 'STORE_BUSY',
} as const;
type Errno = keyof typeof CODES;
const ERRNOS = Object.keys(CODES) as Errno[];

type Outcome = 'unnoticed' | 'declined' | 'warned' | 'refused' | 'ended';

/** Each call to the files of a store fails with each errno, in a real process. Proving runs all of them. */
export function errorsAtEveryCall(): void {
  describe('a system call to the store that fails', () => {
    let stores: Stores;
    beforeAll(() => void (stores = new Stores()));
    afterAll(() => stores.remove());

    it.for(PHASES)(
      'in a $name is told by its code; nothing false is committed, and nothing dies of it',
      { timeout: TIMEOUT_MS },
      async (phase, context) => {
        skipFor(context, reasonNotToTrace());
        const points = await pointsOf(stores, phase);
        const all = points.flatMap((point) => ERRNOS.map((errno) => ({ point, errno })));
        const chosen = share(all);
        const seen: Record<Outcome, number> = { unnoticed: 0, declined: 0, warned: 0, refused: 0, ended: 0 };
        const left: string[] = [];
        for (const { point, errno } of chosen) {
          const outcome = await failedAt(stores, phase, point, errno);
          if (outcome === null) left.push(`${point.id} ${errno}`);
          else seen[outcome]++;
        }
        const figures = Object.entries(seen).map(([outcome, times]) => `${times} ${outcome}`);
        const of = `${chosen.length - left.length} of ${all.length} failures (${points.length} calls)${whole ? '' : `, seed ${SEED}`}`;
        console.log(`errno at every call, ${phase.name}: ${of}: ${figures.join(', ')}`);
        expect(left, 'failures that did not happen').toEqual([]);
      },
    );
  });
}

/** Null when the call never came. */
async function failedAt(stores: Stores, phase: Phase, point: Point, errno: Errno): Promise<Outcome | null> {
  for (const nth of numbersNear(point.nth)) {
    const injection = { call: point.call, nth, what: `error=${errno}` };
    const outcome = await failedOnce(stores, phase, point, injection, errno).catch((error: unknown) => {
      throw new Error(`${errno} at ${point.id} (${injection.call} ${nth})`, { cause: error });
    });
    if (outcome !== null) return outcome;
  }
  return null;
}

async function failedOnce(
  stores: Stores,
  phase: Phase,
  point: Point,
  injection: Injection,
  errno: Errno,
): Promise<Outcome | null> {
  const run = await tracedRun(stores, phase, injection);
  const { child, folder } = run;
  try {
    // Another call of this name was met: what it touched may even be the process's own.
    if (run.injected?.id !== point.id) return null;
    const outcome = await outcomeOf(phase, child, errno);
    // Only then can nobody say what is on the disk.
    if (outcome === 'ended') expect(point.call).toBe('fsync');
    await assertNothingFalse(folder, child);
    await afterwards(folder, child.acks.at(-1) ?? null);
    return outcome;
  } finally {
    await child.kill();
    stores.remove(folder);
  }
}

/** What the failure has led to, after the process has ended, or has gone on and was stopped. */
async function outcomeOf(phase: Phase, child: LedgerProcess, errno: Errno): Promise<Outcome> {
  const refused = child.ended !== null && phase.options.gate === true;
  if (child.ended === null && (await child.checkpoint()) !== null) child.say('stop');
  await child.end();
  for (const declined of child.declines) assertTold(declined, errno);
  // A folder whose fsync has failed is not written to again (D2): the process ends when it would have to.
  if (child.ended !== null) assertTold(child.ended, errno);
  const status = child.ended === null ? 0 : 70;
  expect({ status: child.status, signal: child.signal, errors: child.errors }).toEqual({
    status,
    signal: null,
    errors: '',
  });
  if (refused) return 'refused';
  if (child.ended !== null) return 'ended';
  expect(child.published.length, 'checkpoints after the failure').toBeGreaterThan(0);
  if (child.declines.length > 0) return 'declined';
  return child.warnings.length > 0 ? 'warned' : 'unnoticed';
}

/** The log holds what was published, and nothing else; of a put whose outcome nobody knew, the record may be there. */
async function assertNothingFalse(folder: string, child: LedgerProcess): Promise<void> {
  const { lines, first } = await readLog(await openFolderStore(folder), 'main');
  const stored = lines.flatMap((line) =>
    line.kind === 'checkpoint' && line.record.term === child.term ? [line.position] : [],
  );
  const published = child.published.filter((position) => position >= first);
  const unknown = child.ended?.some(({ code }) => DOUBTS.has(code)) ?? false;
  const more = stored.filter((position) => !published.includes(position));
  expect(
    published.filter((position) => !stored.includes(position)),
    'published and not stored',
  ).toEqual([]);
  expect(more.length, `stored and not published: ${more.join()}`).toBeLessThanOrEqual(unknown ? 1 : 0);
}

const DOUBTS = new Set(['LOG_UNSETTLED', 'STORE_OUTCOME_UNKNOWN']);

/** The failure's own code is in the chain, down to the errno. */
function assertTold(chain: readonly Fault[], errno: Errno): void {
  const codes = chain.map(({ code }) => code);
  expect(codes.at(-1), `the cause of ${codes.join()}`).toBe(errno);
  const told = codes.includes(CODES[errno]) || codes.includes('STORE_OUTCOME_UNKNOWN');
  expect(told, `${errno} was told as ${codes.join()}: ${chain[0]?.text}`).toBe(true);
}
