import type { Store } from '@tidemark/stores';
import { boundaryPositions } from './boundary.ts';
import { type Choice, choose, type ChooseOptions } from './choose.ts';
import type { Environment } from './environment.ts';
import { CheckpointError } from './errors.ts';
import type { KeepPolicy } from './keep.ts';
import { FENCE_TRIES, START_TRIES } from './limits.ts';
import { Log, logName } from './log.ts';
import { Owner, type OwnerSeen } from './owner.ts';
import { pause } from './pause.ts';
import { pinCheckpoint } from './pinning.ts';

/** What a start does that finds another process running the job. */
export type IfRunning = 'fail' | 'wait' | 'take-over';

/** What a start goes on from, and what it says of itself. */
export type StartOptions = ChooseOptions & { readonly keep: KeepPolicy };

/** Where a start happens, and how it behaves towards others. */
export interface StartPlace {
  readonly store: Store;
  readonly job: string;
  readonly environment: Environment;
  /** `fail` when not given. */
  readonly ifRunning?: IfRunning;
  /** Told of each owner that is waited for. */
  readonly waiting?: (owner: OwnerSeen) => void;
  /** Ends every wait with its reason. */
  readonly ended?: AbortSignal;
}

const WAIT_LOST_MS = 1_000;

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
 * @param superseded called when the job seems to have another owner by now
 * @throws CheckpointError `ALREADY_RUNNING`, `STORE_OTHER_JOB`, and what `choose` throws
 */
export async function takeOver<P>(
  place: StartPlace,
  options: StartOptions,
  prepare: (choice: Choice) => Promise<P | null>,
  superseded?: () => void,
): Promise<TakenOver<P> | null> {
  const start = new Start(place, options);
  await start.free();
  for (let tries = 1; ; tries++) {
    const log = await start.openLog();
    let choice: Choice;
    try {
      choice = await choose(log, place.store, place.job, options);
    } catch (error) {
      // No damage: somebody runs, whose retention has removed what we were about to read.
      if (!isDamage(error) || !(await start.boundaryMoved(log))) throw error;
      await start.lost(tries, `another process runs this job and removes old checkpoints: ${error.message}`, error);
      continue;
    }
    // Its owner is alive or not: its file tells, which comes at any moment.
    if (await start.comes(choice)) {
      await start.free();
      continue;
    }
    let prepared: P | null;
    try {
      prepared = await prepare(choice);
    } catch (error) {
      // What it refuses may be the doing of somebody who has started meanwhile: their output where there was none.
      if (!(await start.logMoved(log))) throw error;
      await start.lost(tries, quicker(error), error);
      continue;
    }
    if (prepared === null) return null;
    try {
      await start.putTerm(log, choice);
    } catch (error) {
      if (!isFenced(error) && !isRefused(error)) throw error;
      await start.lost(tries, quicker(error), error);
      continue;
    }
    await start.owner.own(start.term, superseded);
    return { log, owner: start.owner, choice, term: start.term, prepared };
  }
}

/** One start on its way to its term record. */
class Start {
  readonly owner: Owner;
  /** Its term, once its record is there. */
  term = 0;
  /** A checkpoint of this job was read, and the program has not refused it. */
  #fits = false;
  readonly #place: StartPlace;
  readonly #options: StartOptions;

  constructor(place: StartPlace, options: StartOptions) {
    const { store, job, environment, ended } = place;
    this.#place = place;
    this.#options = options;
    this.owner = new Owner(store, job, environment.clock, environment.processes, ended);
  }

  /** Returns when there is nobody to be polite to. */
  async free(): Promise<void> {
    const { ifRunning = 'fail', waiting = () => undefined } = this.#place;
    if (ifRunning === 'fail') await this.owner.assertFree();
    if (ifRunning === 'wait') await this.owner.waitUntilFree(waiting);
  }

  /** @throws CheckpointError `FENCED` when this start had put its term record and another owner has come after it */
  async openLog(): Promise<Log> {
    const { store, job, environment } = this.#place;
    const log = await Log.open(store, job, environment.clock, environment.randomId);
    if (log.last === 0) await assertOwnFolder(store, job);
    if (this.term === 0) return log;
    const newest = await log.read(log.last);
    if (!newest.ok) throw newest.error;
    if (newest.record.term === this.term) return log;
    throw new CheckpointError(
      'FENCED',
      `term ${newest.record.term} began while this start, term ${this.term}, took over`,
    );
  }

  /** Whether the log ends with the begin of an owner who has just written its file. */
  async comes({ begun }: Choice): Promise<boolean> {
    if (begun === null || this.term > 0 || this.#place.ifRunning === 'take-over') return false;
    return this.owner.comes(begun);
  }

  async putTerm(log: Log, { term, cut, checkpoint }: Choice): Promise<void> {
    this.#fits = true;
    if (this.term > 0) return;
    const { position = 'fresh', cut: from = cut } = checkpoint?.record ?? {};
    // There is a newer one: whoever has put it may be about to remove what is older.
    if (position !== 'fresh' && from !== cut) await this.#pin(position);
    await this.#put(log, term + 1, position);
  }

  /**
   * A checkpoint that a start goes back to is pinned before the term record names it (C34).
   *
   * @throws CheckpointError `PIN_REFUSED` when another owner has given it up, and what reading it throws
   */
  async #pin(position: number): Promise<void> {
    const { store, job, environment } = this.#place;
    const place = { store, job, now: () => environment.clock.now() };
    try {
      await pinCheckpoint(place, position, { label: null, wish: null, verify: 'whole' });
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== 'PIN_TAKEN') throw error;
      return;
    }
    this.#options.warn(
      'WENT_BACK',
      `checkpoint ${position} is pinned, because this start goes back to it: it stays until 'tidemark unpin ${position}'`,
    );
  }

  /**
   * Another owner was quicker.
   *
   * @throws CheckpointError `ALREADY_RUNNING` when trying again is of no use; the cause where this start may not end the other
   */
  async lost(tries: number, message: string, cause: unknown): Promise<void> {
    const { ifRunning, environment, ended } = this.#place;
    await this.free();
    if (tries < START_TRIES) return;
    // Its file says that nobody runs, and somebody does.
    if (ifRunning === 'wait') return pause(environment.clock, WAIT_LOST_MS, ended);
    if (ifRunning === 'take-over') {
      if (!this.#fits) throw cause;
      if (await this.#fence()) return;
    }
    throw new CheckpointError('ALREADY_RUNNING', message, { cause });
  }

  /**
   * The other one publishes faster than this one reads. That it can be read and run, the tries before have shown: so
   * the term record comes first now, and with it the end of the other.
   */
  async #fence(): Promise<boolean> {
    for (let tries = 1; tries <= FENCE_TRIES; tries++) {
      const log = await this.openLog();
      if (log.last === 0) return false;
      const newest = await log.read(log.last);
      if (!newest.ok) throw newest.error;
      const { record } = newest;
      const from = this.#fenceFrom(record.kind === 'term' ? record.from : record.position);
      if (from === null) return false;
      try {
        if (from !== 'fresh' && from === this.#options.from) await this.#pin(from);
        await this.#put(log, record.term + 1, from);
        return true;
      } catch (error) {
        if (!isFenced(error) && !isRefused(error)) throw error;
      }
    }
    return false;
  }

  /** What a person has chosen holds; without leave to release twice it may have become wrong meanwhile. */
  #fenceFrom(newest: number | 'fresh'): number | 'fresh' | null {
    const { fresh, from, acceptDuplicates } = this.#options;
    if (fresh) return 'fresh';
    if (from === null) return newest;
    return acceptDuplicates ? from : null;
  }

  /** Whether somebody has put a record since this log was opened. */
  async logMoved(log: Log): Promise<boolean> {
    const { store, job } = this.#place;
    return (await store.list(`${job}/log/`, { after: logName(job, log.last) })).length > 0;
  }

  async #put(log: Log, term: number, from: number | 'fresh'): Promise<void> {
    const { host, pid } = this.#place.environment.processes.own();
    await log.put({ kind: 'term', from, host, pid, keep: this.#options.keep }, term);
    this.term = term;
  }

  /** Whether somebody has put a newer boundary since this log was opened (C19: before anything below it is removed). */
  async boundaryMoved(log: Log): Promise<boolean> {
    const highest = (await boundaryPositions(this.#place.store, this.#place.job)).at(-1) ?? 0;
    return highest > (log.boundary?.position ?? 0);
  }
}

function quicker(error: unknown): string {
  const what = error instanceof Error ? error.message : String(error);
  return `another process started this job at the same time: ${what}`;
}

function isDamage(error: unknown): error is CheckpointError {
  return error instanceof CheckpointError && error.code === 'CHECKPOINT_DAMAGED';
}

function isFenced(error: unknown): error is CheckpointError {
  return error instanceof CheckpointError && error.code === 'FENCED';
}

/** What was to be gone back to is being removed by somebody. */
function isRefused(error: unknown): error is CheckpointError {
  return error instanceof CheckpointError && error.code === 'PIN_REFUSED';
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
