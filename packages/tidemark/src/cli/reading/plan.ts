import { fileURLToPath } from 'node:url';
import { systemClock } from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  choose,
  jobInStore,
  Log,
  planRestore,
  type PlanOutcome,
  type PlanRow,
  type RestorePlan,
} from '@tidemark/checkpoint/internal';
import { loadProgram } from '@tidemark/jobs/internal';
import type { Store } from '@tidemark/stores';
import { counted } from '../numbers.ts';
import { type FlatRow, tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import type { PlanCommand } from './commands.ts';
import { timeText } from './facts.ts';

/** What a start of a program would do, found out without starting it: its module is loaded, and nothing is written. */
export async function planCommand(store: Store, command: PlanCommand): Promise<Answer> {
  const file = new URL(command.file);
  const program = await loadProgram(file);
  const job = await jobInStore(store, command.job ?? program.job);
  const passed: string[] = [];
  const { checkpoint } = await choose(await Log.open(store, job, systemClock), store, job, {
    fresh: false,
    from: command.position,
    // A plan asks what would become of state; whether output comes twice, a start asks.
    acceptDuplicates: true,
    command: (position) => `tidemark run ${fileURLToPath(file)} --from ${position} --accept-duplicates`,
    warn: (code, message) => passed.push(`${code}: ${message}`),
  });
  if (checkpoint === null) {
    const text = `Job ${job} has no checkpoint to go on from: a start begins anew.`;
    return { text, json: { job, position: null, rows: [], code: null }, warnings: [], code: null };
  }
  const plan = planRestore(checkpoint.record, checkpoint.parts, program, command.mapping);
  return planAnswer(job, checkpoint.record, plan, passed);
}

function planAnswer(
  job: string,
  record: CheckpointRecord,
  { rows, refusals }: RestorePlan,
  passed: readonly string[],
): Answer {
  const { position, finished } = record;
  const code = refusals[0]?.code ?? null;
  const goesOn = finished ? 'shows its result: the job has finished' : 'goes on from it';
  return {
    text: paragraphs([
      `Checkpoint ${position} of job ${job}, ${timeText(record.createdAt)}: all of it can be decoded.`,
      tableText(rows.map(rowOf)),
      passed.join('\n'),
      code === null ? `A start ${goesOn}.` : 'A start is refused.',
    ]),
    json: { job, position, finished, rows, passedOver: passed, code, refusals: refusals.map(refusalText) },
    warnings: refusals,
    code,
  };
}

function refusalText({ code, message }: RestorePlan['refusals'][number]): object {
  return { code, message };
}

const WORDS: Readonly<Record<PlanOutcome, string>> = {
  mapped: 'mapped',
  migrated: 'migrated',
  renamed: 'renamed',
  dropped: 'dropped',
  new: 'new',
  empty: 'no longer defined; nothing is stored',
  unclaimed: 'UNCLAIMED',
  'other-version': 'OTHER VERSION',
  failed: 'FAILED',
};

function rowOf({ type, to, stored, defined, units, messages, messagesDropped, refs, outcome }: PlanRow): FlatRow {
  const version = (number: number | null): string => (number === null ? '' : `v${number}`);
  const also = [
    to === null ? '' : `as ${to}`,
    messagesDropped === 0 ? '' : `${counted(messagesDropped, 'message')} dropped`,
    refs === 0 ? '' : counted(refs, 'ref'),
  ].filter((text) => text !== '');
  return {
    definition: type,
    checkpoint: version(stored),
    program: version(defined),
    units,
    messages,
    state: [WORDS[outcome], ...also].join(', '),
  };
}
