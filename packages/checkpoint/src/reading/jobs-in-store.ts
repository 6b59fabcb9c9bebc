import type { Store } from '@tidemark/stores';
import { CheckpointError } from '../errors.ts';

/** A record, or a boundary: where all records are gone, it still says that there was a job. */
const OF_A_JOB = /^([^/]+)\/(?:log|gc)\/\d{20}$/;
const INSIDE_A_JOB = /^log\/\d{20}$/;

/** Names of the jobs whose checkpoints lie in a store, sorted. */
export async function jobsInStore(store: Store): Promise<readonly string[]> {
  const names = await store.list('');
  return [...new Set(names.flatMap((name) => OF_A_JOB.exec(name)?.[1] ?? []))];
}

/**
 * The job that is meant: the one that was named, or the only one.
 *
 * @throws CheckpointError `CHECKPOINT_UNKNOWN` when there is none of that name, or none at all; `STORE_OTHER_JOB` when
 * several are there and none was named
 */
export async function jobInStore(store: Store, asked: string | null): Promise<string> {
  const jobs = await jobsInStore(store);
  const list = jobs.map((job) => `'${job}'`).join(', ');
  if (jobs.length === 0) {
    const inside = (await store.list('log/')).some((name) => INSIDE_A_JOB.test(name));
    const advice = inside ? ' It is the folder of one job: give the folder that this one lies in.' : '';
    throw new CheckpointError('CHECKPOINT_UNKNOWN', `there are no checkpoints in ${store.url}.${advice}`);
  }
  if (asked === null) {
    if (jobs.length === 1) return jobs[0];
    throw new CheckpointError(
      'STORE_OTHER_JOB',
      `${store.url} holds checkpoints of several jobs: name one of ${list} with --job`,
    );
  }
  if (jobs.includes(asked)) return asked;
  throw new CheckpointError(
    'CHECKPOINT_UNKNOWN',
    `there are no checkpoints of job '${asked}' in ${store.url}: ${list}`,
  );
}
