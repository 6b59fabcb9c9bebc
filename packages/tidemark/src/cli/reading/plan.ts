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
} from '@tidemark/checkpoint/internal';
import { loadProgram } from '@tidemark/jobs/internal';
import type { Store } from '@tidemark/stores';
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
  return planAnswer(job, checkpoint.record, planRestore(checkpoint.record, checkpoint.parts, program), passed);
}

function planAnswer(
  job: string,
  record: CheckpointRecord,
  rows: readonly PlanRow[],
  passed: readonly string[],
): Answer {
  const { position, finished } = record;
  const refused = rows.filter(({ outcome }) => outcome === 'unclaimed' || outcome === 'other-version');
  const isUnclaimed = refused.some(({ outcome }) => outcome === 'unclaimed');
  const refusal = isUnclaimed ? 'STATE_UNCLAIMED' : 'CHECKPOINT_INCOMPATIBLE';
  const code = refused.length === 0 ? null : refusal;
  const goesOn = finished ? 'shows its result: the job has finished' : 'goes on from it';
  return {
    text: paragraphs([
      `Checkpoint ${position} of job ${job}, ${timeText(record.createdAt)}: all of it can be decoded.`,
      tableText(rows.map(rowOf)),
      passed.join('\n'),
      code === null ? `A start ${goesOn}.` : '',
    ]),
    json: { job, position, finished, rows, passedOver: passed, code },
    warnings: refused.map(refusalText),
    code,
  };
}

const WORDS: Readonly<Record<PlanOutcome, string>> = {
  mapped: 'mapped',
  new: 'new',
  empty: 'no longer defined; nothing is stored',
  unclaimed: 'UNCLAIMED',
  'other-version': 'OTHER VERSION',
};

function rowOf({ type, stored, defined, units, messages, outcome }: PlanRow): FlatRow {
  const version = (number: number | null): string => (number === null ? '' : `v${number}`);
  return {
    definition: type,
    checkpoint: version(stored),
    program: version(defined),
    units,
    messages,
    state: WORDS[outcome],
  };
}

function refusalText({ type, outcome, stored, defined }: PlanRow): string {
  if (outcome === 'unclaimed') return `state of '${type}' belongs to nobody in this program: a start is refused`;
  return `state of '${type}' is of version ${stored}, the program defines version ${defined}: a start is refused`;
}
