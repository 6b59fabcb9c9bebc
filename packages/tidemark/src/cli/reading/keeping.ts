import {
  askSavepoint,
  nodeEnvironment,
  parseKeep,
  pinCheckpoint,
  planGc,
  runGc,
  unpinCheckpoint,
} from '@tidemark/checkpoint/internal';
import type { Store } from '@tidemark/stores';
import { assertNever } from '../assert-never.ts';
import type { Answer } from './answer.ts';
import type { KeepingCommand, PinCommand, SavepointCommand, UnpinCommand } from './commands.ts';
import { timeText } from './facts.ts';
import { gcAnswer } from './gc.ts';

/** Answers a command that says what stays in a store. */
export async function keepingAnswer(
  store: Store,
  job: string,
  command: KeepingCommand,
  nowMs: number,
): Promise<Answer> {
  switch (command.kind) {
    case 'pin':
      return pin(store, job, command, nowMs);
    case 'unpin':
      return unpin(store, job, command);
    case 'savepoint':
      return savepoint(store, job, command, nowMs);
    case 'gc': {
      const place = { store, job, environment: nodeEnvironment };
      const policy = command.keep === null ? null : parseKeep(command.keep);
      const report = await (command.dryRun ? planGc(place, policy) : runGc(place, policy));
      return gcAnswer(report, command.dryRun ? 'planned' : 'done', nowMs);
    }
    default:
      return assertNever(command);
  }
}

async function pin(store: Store, job: string, command: PinCommand, nowMs: number): Promise<Answer> {
  const place = { store, job, now: () => nowMs };
  const options = { label: command.label, wish: null, verify: 'whole' } as const;
  const { position, label, takenAt, createdAt } = await pinCheckpoint(place, command.position, options);
  const as = label === null ? '' : ` as '${label}'`;
  return said(`Pinned checkpoint ${position} of job ${job}${as}. It stays until tidemark unpin ${position}.`, {
    job,
    position,
    label,
    takenAt,
    createdAt,
  });
}

async function unpin(store: Store, job: string, { position }: UnpinCommand): Promise<Answer> {
  const was = await unpinCheckpoint(store, job, position);
  const text =
    was === 'pin'
      ? `Unpinned checkpoint ${position} of job ${job}.`
      : `Checkpoint ${position} of job ${job} is kept no longer.`;
  return said(`${text} It is removed once it is older than what the job keeps.`, { job, position, was });
}

async function savepoint(store: Store, job: string, command: SavepointCommand, nowMs: number): Promise<Answer> {
  const { pin: made, how } = await makeSavepoint(store, job, command, nowMs);
  const { position, label, takenAt, createdAt } = made;
  const taken = `taken ${timeText(takenAt)}`;
  const what = {
    taken: 'the running job took it just now',
    newest: `the newest, ${taken}: the job does not run`,
    chosen: taken,
  };
  const text = [
    `Savepoint '${label}' is checkpoint ${position} of job ${job}:`,
    `${what[how]}.`,
    `To go back to it: tidemark restore FILE --from ${position} --store ${command.store}`,
  ];
  return said(text.join('\n'), { job, position, label, how, takenAt, createdAt });
}

async function makeSavepoint(
  store: Store,
  job: string,
  { position, label }: SavepointCommand,
  nowMs: number,
): Promise<{ readonly pin: Awaited<ReturnType<typeof pinCheckpoint>>; readonly how: 'taken' | 'newest' | 'chosen' }> {
  if (position === null) return askSavepoint({ store, job, environment: nodeEnvironment }, label);
  const options = { label: label ?? `savepoint-${position}`, wish: null, verify: 'whole' } as const;
  return { pin: await pinCheckpoint({ store, job, now: () => nowMs }, position, options), how: 'chosen' };
}

function said(text: string, json: object): Answer {
  return { text, json, warnings: [], code: null };
}
