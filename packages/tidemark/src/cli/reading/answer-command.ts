import {
  census,
  CheckpointError,
  copyCheckpoint,
  jobInStore,
  jobsInStore,
  readCheckpoint,
  readLog,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { openStore, openStoreForReading, type Store } from '@tidemark/stores';
import { assertNever } from '../assert-never.ts';
import { bytes, counted } from '../numbers.ts';
import type { Answer } from './answer.ts';
import { checkpointsAnswer, jobsAnswer } from './checkpoints.ts';
import type {
  CopyCommand,
  DiffCommand,
  DoctorCommand,
  InspectCommand,
  KeepingCommand,
  ReadingCommand,
  ShowCommand,
} from './commands.ts';
import { diffAnswer } from './diff.ts';
import { doctorAnswer } from './doctor.ts';
import { inspectAnswer, unitsAnswer, unitsOf } from './inspect.ts';
import { keepingAnswer } from './keeping.ts';
import { showAnswer } from './show.ts';
import { verifyAnswer } from './verify.ts';

/** Answers a command over a store. */
export async function answerCommand(command: ReadingCommand, nowMs: number): Promise<Answer> {
  if (command.kind === 'doctor') return doctorAnswer(command);
  // First: whether there is anything to look at is known before the program of a plan is loaded.
  const store = await openStoreForReading(command.store);
  try {
    return await answerOver(store, command, nowMs);
  } finally {
    await store.close();
  }
}

async function answerOver(
  store: Store,
  command: Exclude<ReadingCommand, DoctorCommand>,
  nowMs: number,
): Promise<Answer> {
  switch (command.kind) {
    case 'checkpoints':
      return checkpoints(store, command.job, nowMs);
    case 'show':
      return show(store, command);
    case 'inspect':
      return inspect(store, command);
    case 'diff':
      return diff(store, command);
    case 'verify': {
      const { position } = command;
      return verifyAnswer(await verifyLog(store, await jobInStore(store, command.job), position), position);
    }
    case 'plan': {
      const { planCommand } = await import('./plan.ts');
      return planCommand(store, command);
    }
    case 'copy':
      return copy(store, command);
    case 'pin':
    case 'unpin':
    case 'savepoint':
    case 'gc':
      return keep(command, await jobInStore(store, command.job), nowMs);
    default:
      return assertNever(command);
  }
}

/** For these the store is opened once more, to write; that it is there is known by now. */
async function keep(command: KeepingCommand, job: string, nowMs: number): Promise<Answer> {
  const store = await openStore(command.store);
  try {
    return await keepingAnswer(store, job, command, nowMs);
  } finally {
    await store.close();
  }
}

async function diff(store: Store, { job, before, after, limit }: DiffCommand): Promise<Answer> {
  const old = await readCheckpoint(store, { job, position: before });
  const now = await readCheckpoint(store, { job, position: after });
  return diffAnswer(old, now, limit);
}

async function copy(store: Store, command: CopyCommand): Promise<Answer> {
  const view = await readCheckpoint(store, command);
  const to = await openStore(command.to);
  try {
    const copied = await copyCheckpoint(view, store, to);
    const { job, position, parts } = copied;
    const held = `${counted(parts, 'part')} of its own, ${bytes(copied.bytes)}`;
    const text = `Copied checkpoint ${position} of job ${job} to ${to.url} (${held}), and verified it there.`;
    return { text, json: { ...copied, to: to.url }, warnings: [], code: null };
  } finally {
    await to.close();
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
  // Only here: jobs bring all that runs them.
  const { jobFacts } = await import('@tidemark/jobs/internal');
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
