import {
  census,
  CheckpointError,
  jobInStore,
  jobsInStore,
  readCheckpoint,
  readLog,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { jobFacts } from '@tidemark/jobs/internal';
import type { Store } from '@tidemark/stores';
import type { Answer } from './answer.ts';
import { checkpointsAnswer, jobsAnswer } from './checkpoints.ts';
import type { InspectCommand, ReadingCommand, ShowCommand } from './commands.ts';
import { diffAnswer } from './diff.ts';
import { inspectAnswer, unitsAnswer, unitsOf } from './inspect.ts';
import { showAnswer } from './show.ts';
import { verifyAnswer } from './verify.ts';

/** Answers a command that looks at a store. */
export async function answerCommand(command: ReadingCommand, store: Store, nowMs: number): Promise<Answer> {
  switch (command.kind) {
    case 'checkpoints':
      return checkpoints(store, command.job, nowMs);
    case 'show':
      return show(store, command);
    case 'inspect':
      return inspect(store, command);
    case 'diff': {
      const { job, before, after, limit } = command;
      const [old, now] = [
        await readCheckpoint(store, { job, position: before }),
        await readCheckpoint(store, { job, position: after }),
      ];
      return diffAnswer(old, now, limit);
    }
    case 'verify':
      return verifyAnswer(
        await verifyLog(store, await jobInStore(store, command.job), command.position),
        command.position,
      );
  }
}

async function checkpoints(store: Store, job: string | null, nowMs: number): Promise<Answer> {
  const jobs = await jobsInStore(store);
  if (job === null && jobs.length > 1) {
    const logs = [];
    for (const each of jobs) logs.push(await readLog(store, each));
    return jobsAnswer(logs, store.url);
  }
  return checkpointsAnswer(await readLog(store, await jobInStore(store, job)), store.url, nowMs);
}

async function show(store: Store, command: ShowCommand): Promise<Answer> {
  const view = await readCheckpoint(store, command);
  const whole = view.parts.flatMap((part) => (part.ok ? [part.content] : []));
  return showAnswer(view, census(whole), jobFacts(view.record, unitsOf(view).units));
}

async function inspect(store: Store, command: InspectCommand): Promise<Answer> {
  const { actor, limit } = command;
  const view = await readCheckpoint(store, command);
  if (actor === null) return unitsAnswer(view, limit);
  const answer = inspectAnswer(view, actor);
  if (answer !== null) return answer;
  const { record, parts } = view;
  const damage = parts.find((part) => !part.ok);
  const what = `checkpoint ${record.position} holds no state of ${actor.type}/${actor.key}`;
  if (damage?.ok === false)
    throw new CheckpointError('CHECKPOINT_DAMAGED', `${what} in the parts that can be read: ${damage.error.message}`);
  throw new CheckpointError(
    'UNIT_UNKNOWN',
    `${what}; tidemark inspect ${record.position} without --actor lists all units`,
  );
}
