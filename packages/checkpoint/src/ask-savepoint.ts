import type { Store } from '@tidemark/stores';
import { choose } from './choose.ts';
import { damageOf, isAbsent } from './damage.ts';
import type { Environment } from './environment.ts';
import { CheckpointError } from './errors.ts';
import { checkLabel } from './label.ts';
import { WISH_ANSWER_LOOK_MS, WISH_ANSWER_MS } from './limits.ts';
import { Log } from './log.ts';
import { Owner } from './owner.ts';
import { listMarks, type Pin } from './pin.ts';
import { assertLabelFree, pinCheckpoint } from './pinning.ts';
import { encodeWish, pinOfWish, wishName } from './wish.ts';

export interface AskedSavepoint {
  readonly pin: Pin;
  /** `taken` by the running owner just now; `newest`: nobody runs, and the newest good checkpoint was pinned. */
  readonly how: 'taken' | 'newest';
}

/** What somebody outside of the owner's process needs. */
export interface AskPlace {
  readonly store: Store;
  readonly job: string;
  readonly environment: Pick<Environment, 'clock' | 'processes' | 'randomId'>;
}

/**
 * A savepoint for somebody who is not the owner: where the job runs, its owner is asked for a fresh one by a wish in the
 * store; else the newest good checkpoint is pinned, which is all that there is.
 *
 * @throws CheckpointError `LABEL_INVALID`, `PIN_TAKEN`, `CHECKPOINT_UNKNOWN`, `CHECKPOINT_DAMAGED`; `SAVEPOINT_UNANSWERED`
 * when the owner does not answer
 */
export async function askSavepoint(place: AskPlace, label: string | null): Promise<AskedSavepoint> {
  const checked = label === null ? null : checkLabel(label);
  const { store, job, environment } = place;
  // The owner looks again; whoever asks hears it at once.
  await assertLabelFree(store, job, null, checked, await listMarks(store, job));
  if (!(await isRunning(place))) return pinNewest(place, checked);
  const { clock, randomId } = environment;
  const id = randomId();
  await store.putIfAbsent(wishName(job, id), encodeWish({ id, label: checked }));
  const until = clock.monotonic() + WISH_ANSWER_MS;
  try {
    for (;;) {
      // In this order: the owner pins first, then removes the wish.
      const open = await isThere(store, wishName(job, id));
      const pin = await pinOfWish(store, job, id);
      if (pin !== null) return { pin, how: 'taken' };
      if (!open) throw refused(job, checked);
      if (!(await isRunning(place))) {
        await store.delete(wishName(job, id));
        return await pinNewest(place, checked);
      }
      if (clock.monotonic() >= until) throw unanswered(job, store.url);
      await new Promise<void>((resolve) => void clock.after(WISH_ANSWER_LOOK_MS, resolve));
    }
  } finally {
    await store.delete(wishName(job, id));
  }
}

async function pinNewest({ store, job, environment }: AskPlace, label: string | null): Promise<AskedSavepoint> {
  const { clock, randomId } = environment;
  const log = await Log.open(store, job, clock, randomId);
  const { checkpoint } = await choose(log, store, job, {
    fresh: false,
    from: null,
    acceptDuplicates: false,
    command: (position) => `tidemark savepoint ${position}`,
    warn: () => undefined,
  });
  if (checkpoint === null) {
    throw new CheckpointError(
      'CHECKPOINT_UNKNOWN',
      `job '${job}' in ${store.url} has no checkpoint that could be pinned`,
    );
  }
  const { position } = checkpoint.record;
  const place = { store, job, now: () => clock.now() };
  const named = label ?? `savepoint-${position}`;
  const pin = await pinCheckpoint(place, position, { label: named, wish: null, verify: 'whole' });
  return { pin, how: 'newest' };
}

async function isRunning({ store, job, environment }: AskPlace): Promise<boolean> {
  try {
    await new Owner(store, job, environment.clock, environment.processes).assertFree();
    return false;
  } catch (error) {
    if (error instanceof CheckpointError && error.code === 'ALREADY_RUNNING') return true;
    throw error;
  }
}

async function isThere(store: Store, name: string): Promise<boolean> {
  try {
    await store.get(name);
    return true;
  } catch (error) {
    if (isAbsent(damageOf(error, name))) return false;
    throw error;
  }
}

function refused(job: string, label: string | null): CheckpointError {
  const why = label === null ? 'its label' : `label '${label}'`;
  return new CheckpointError(
    'PIN_TAKEN',
    `the owner of job '${job}' has refused the savepoint: ${why} belongs to another checkpoint`,
  );
}

function unanswered(job: string, url: string): CheckpointError {
  return new CheckpointError(
    'SAVEPOINT_UNANSWERED',
    `job '${job}' in ${url} runs, but has taken no savepoint within ${WISH_ANSWER_MS / 1_000} s. The request is withdrawn. Look whether its checkpoints fail; tidemark pin N keeps one that is there.`,
  );
}
