import type { GcKept, GcRemoved, GcReport, KeepPolicy } from '@tidemark/checkpoint/internal';
import { LIST_LIMIT } from '../limits.ts';
import { bytes, counted } from '../numbers.ts';
import { type FlatRow, tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import { ageText, timeText } from './facts.ts';

/** What a pass of retention has removed, or would. */
export function gcAnswer(report: GcReport, how: 'planned' | 'done', nowMs: number): Answer {
  const { job, policy, policyOf, boundary, kept, removed, doubt } = report;
  const warnings =
    doubt === null
      ? []
      : [`${doubt.message}: a checkpoint that stays cannot be read, so no file was removed. If it is lost, unpin it.`];
  return {
    text: paragraphs([
      headText(report, how),
      `The rule: ${policyText(policy)}\n(${POLICY_OF[policyOf]}).`,
      titled('Stay', listText(kept.map((each) => keptRow(each, nowMs)))),
      titled(how === 'done' ? 'Removed' : 'Would be removed', removedText(removed, nowMs)),
      how === 'planned' && removed.length > 0
        ? 'Nothing was changed. The running job removes them by itself; one that does not\nrun is cleaned by the same command without --dry-run.'
        : '',
    ]),
    json: {
      job,
      dryRun: how === 'planned',
      policy,
      policyOf,
      boundary,
      kept,
      removed,
      bytes: sum(removed),
      damage: warnings,
    },
    warnings,
    code: doubt === null ? null : 'CHECKPOINT_DAMAGED',
  };
}

const POLICY_OF = {
  caller: 'as this command says',
  job: "as the job's last start said",
  default: 'by default, as no start has said',
};

function headText({ job, kept, removed }: GcReport, how: 'planned' | 'done'): string {
  if (removed.length === 0) return `${job}: nothing to remove; ${counted(kept.length, 'checkpoint')} stay.`;
  const count = (kind: GcRemoved['kind']): number => removed.filter((each) => each.kind === kind).length;
  const what = [
    count('checkpoint') > 0 ? counted(count('checkpoint'), 'checkpoint') : '',
    count('term') > 0 ? counted(count('term'), 'term') : '',
    count('damaged') > 0 ? counted(count('damaged'), 'damaged record') : '',
    count('part') > 0 ? counted(count('part'), 'file') : '',
  ];
  const list = what.filter((each) => each !== '').join(', ');
  const verb = how === 'done' ? 'removed' : 'would remove';
  return `${job}: ${verb} ${list} (${bytes(sum(removed))}); ${counted(kept.length, 'checkpoint')} stay.`;
}

function policyText({ last, hourly, daily, weekly, timezone }: KeepPolicy): string {
  if (last === null) return 'all checkpoints stay';
  const spans = [
    [hourly, 'hour'],
    [daily, 'day'],
    [weekly, 'week'],
  ] as const;
  const told = spans.filter(([count]) => count > 0).map(([count, span]) => counted(count, span));
  const byTime = told.length === 0 ? '' : `, one of each of ${told.join(', ')} (${timezone})`;
  return `the newest ${last}${byTime}, and what is pinned stay`;
}

function keptRow({ position, takenAt, bytes: size, because }: GcKept, nowMs: number): FlatRow {
  return {
    position: String(position),
    created: timeText(takenAt),
    age: ageText(nowMs - Date.parse(takenAt)),
    size: bytes(size),
    why: because.length === 0 ? 'kept until now' : because.join(', '),
  };
}

/** Files by their number: their names say nothing to people. */
function removedText(removed: readonly GcRemoved[], nowMs: number): string {
  const rows = removed.flatMap((each) => (each.position === null ? [] : [removedRow(each.position, each, nowMs)]));
  const files = removed.filter(({ kind }) => kind === 'part');
  const theirs = `${counted(files.length, 'file')} that no checkpoint needs any more: ${bytes(sum(files))}`;
  return [listText(rows), files.length === 0 ? '' : theirs].filter((text) => text !== '').join('\n');
}

function removedRow(position: number, { kind, takenAt, bytes: size }: GcRemoved, nowMs: number): FlatRow {
  return {
    position: String(position),
    created: takenAt === null ? '' : timeText(takenAt),
    age: takenAt === null ? '' : ageText(nowMs - Date.parse(takenAt)),
    record: bytes(size),
    what: kind,
  };
}

function titled(title: string, text: string): string {
  return text === '' ? '' : `${title}\n${text}`;
}

function listText(rows: readonly FlatRow[]): string {
  const shown = tableText(rows.slice(0, LIST_LIMIT));
  return rows.length > LIST_LIMIT
    ? `${shown}\n… and ${counted(rows.length - LIST_LIMIT, 'more').replace(/s$/, '')}; --json has all`
    : shown;
}

function sum(removed: readonly GcRemoved[]): number {
  return removed.reduce((total, { bytes: size }) => total + size, 0);
}
