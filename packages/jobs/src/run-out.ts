import { ActorError, type Clock } from '@tidemark/actors';
import type { Engine } from '@tidemark/checkpoint/internal';
import { checkpointSurely, quiet } from './last-steps.ts';
import type { JobHostSays } from './worker-messages.ts';
import type { WorkerReports } from './worker-reports.ts';

/** The end of a bounded job, as the one who runs it does it. */
export interface RunOut {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Of the generation whose sources are dry. */
  readonly reports: WorkerReports;
  /** That generation runs still. */
  readonly isCurrent: () => boolean;
  /** A stop takes its own last checkpoint; the next start does the rest. */
  readonly stopping: () => boolean;
  readonly sayAll: (says: JobHostSays) => void;
  /** The last word of each key was said: kept in each record from now on. */
  readonly ended: () => boolean;
  readonly noteEnded: () => void;
  /** Asks for what was collected; kept in the record that is put next. */
  readonly makeResult: () => Promise<() => void>;
}

/**
 * All sources are dry: lets everything run through, says the last word, and ends with two checkpoints (§8).
 *
 * @throws ActorError `ROLLED_BACK` when the system went back meanwhile: the sources run dry again, and this begins again
 */
export async function runOut(run: RunOut): Promise<void> {
  const { engine, clock, reports } = run;
  await quiet(engine, clock);
  assertCurrent(run);
  if (run.ended()) await collectCounters(run);
  // No cut may come in between: after a restore from it, some keys would say their last word a second time.
  else await engine.withoutCuts(() => sayLastWord(run));
  if (run.stopping()) return;
  assertCurrent(run);
  const { position } = await checkpointSurely(engine, clock);
  await reports.until(() => reports.haveAllApplied(position));
  if (run.stopping()) return;
  const keep = await run.makeResult();
  // The last checkpoint of a stop is not to be followed by another.
  if (run.stopping()) return;
  assertCurrent(run);
  keep();
  await checkpointSurely(engine, clock);
}

async function sayLastWord(run: RunOut): Promise<void> {
  const { engine, clock, reports } = run;
  assertCurrent(run);
  run.sayAll({ kind: 'end-of-stream' });
  await reports.until(() => reports.allEnded);
  await quiet(engine, clock);
  assertCurrent(run);
  run.noteEnded();
}

/** Counters after a restore past the end: the last word was said, it is not said again. */
async function collectCounters({ reports, sayAll }: RunOut): Promise<void> {
  sayAll({ kind: 'counters' });
  await reports.until(() => reports.allEnded);
}

/** The steps of a generation that is over must not touch the next one. */
function assertCurrent({ isCurrent }: RunOut): void {
  if (isCurrent()) return;
  throw new ActorError('ROLLED_BACK', 'the job went back to its last checkpoint in its last steps');
}
