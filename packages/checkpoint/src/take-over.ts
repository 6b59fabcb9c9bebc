import type { Store } from '@tidemark/stores';
import { boundaryPositions } from './boundary.ts';
import { type Choice, choose, type ChooseOptions } from './choose.ts';
import type { Environment } from './environment.ts';
import { CheckpointError } from './errors.ts';
import type { KeepPolicy } from './keep.ts';
import { START_TRIES } from './limits.ts';
import { Log } from './log.ts';
import { Owner } from './owner.ts';

/** A start that owns its job: nothing of it has run yet. */
export interface TakenOver<P> {
  readonly log: Log;
  readonly owner: Owner;
  readonly choice: Choice;
  readonly term: number;
  readonly prepared: P;
}

/**
 * Reads the log, chooses, lets the layer above look at the choice, and puts the term record: the first side effect of
 * a start. Starts over when another owner was quicker (C13).
 *
 * @param prepare refuses by throwing; null means that there is nothing to run, and nothing is written
 * @throws CheckpointError `ALREADY_RUNNING`, `STORE_OTHER_JOB`, and what `choose` throws
 */
export async function takeOver<P>(
  place: { readonly store: Store; readonly job: string; readonly environment: Environment },
  options: ChooseOptions & { readonly keep: KeepPolicy },
  prepare: (choice: Choice) => Promise<P | null>,
): Promise<TakenOver<P> | null> {
  const { store, job, environment } = place;
  const { clock, processes, randomId } = environment;
  const owner = new Owner(store, job, clock, processes);
  await owner.assertFree();
  for (let tries = 1; ; tries++) {
    const log = await Log.open(store, job, clock, randomId);
    if (log.last === 0) await assertOwnFolder(store, job);
    let choice: Choice;
    try {
      choice = await choose(log, store, job, options);
    } catch (error) {
      // No damage: somebody runs, whose retention has removed what we were about to read.
      if (!isDamage(error) || !(await boundaryMoved(store, job, log))) throw error;
      await owner.assertFree();
      if (tries < START_TRIES) continue;
      const message = `another process runs this job and removes old checkpoints: ${error.message}`;
      throw new CheckpointError('ALREADY_RUNNING', message, { cause: error });
    }
    const prepared = await prepare(choice);
    if (prepared === null) return null;
    const term = choice.term + 1;
    try {
      const from = choice.checkpoint?.record.position ?? 'fresh';
      const { host, pid } = processes.own();
      await log.put({ kind: 'term', from, host, pid, keep: options.keep }, term);
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== 'FENCED') throw error;
      await owner.assertFree();
      if (tries < START_TRIES) continue;
      const message = `another process started this job at the same time: ${error.message}`;
      throw new CheckpointError('ALREADY_RUNNING', message, { cause: error });
    }
    await owner.own(term);
    return { log, owner, choice, term, prepared };
  }
}

function isDamage(error: unknown): error is CheckpointError {
  return error instanceof CheckpointError && error.code === 'CHECKPOINT_DAMAGED';
}

/** Whether somebody has put a newer boundary since this log was opened (C19: before anything below it is removed). */
async function boundaryMoved(store: Store, job: string, log: Log): Promise<boolean> {
  const highest = (await boundaryPositions(store, job)).at(-1) ?? 0;
  return highest > (log.boundary?.position ?? 0);
}

/** A store that holds other jobs and not this one is most likely a mistake. */
async function assertOwnFolder(store: Store, job: string): Promise<void> {
  const logs = (await store.list('')).filter((name) => /^[^/]+\/log\/\d{20}$/.test(name));
  const other = logs[0];
  // Its own log may have begun meanwhile: then somebody else was quicker, and the term record is lost to them.
  if (other === undefined || logs.some((name) => name.startsWith(`${job}/`))) return;
  throw new CheckpointError(
    'STORE_OTHER_JOB',
    `${store.url} holds checkpoints of job '${other.split('/')[0]}', not of '${job}': give this job a store of its own`,
  );
}
