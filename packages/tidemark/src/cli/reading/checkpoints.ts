import type { LogLine, LogView } from '@tidemark/checkpoint/internal';
import { assertNever } from '../assert-never.ts';
import { FAILED_SHOWN } from '../limits.ts';
import { bytes, counted } from '../numbers.ts';
import { type FlatRow, tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import { ageText, pinText, timeText } from './facts.ts';
import { failedJson, failedText } from './history.ts';

/** The checkpoints of one job. */
export function checkpointsAnswer(log: LogView, store: string, nowMs: number): Answer {
  const warnings = warningsOf(log);
  const count = log.lines.filter((line) => line.kind === 'checkpoint').length;
  const title = `${log.job} in ${store}: ${counted(count, 'checkpoint')}`;
  return {
    text: paragraphs([title, listText(log, nowMs), belowText(log)]),
    json: { job: log.job, store, boundary: log.boundary, damage: warnings, lines: log.lines.map(lineJson) },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

function belowText({ boundary }: LogView): string {
  if (boundary === null) return '';
  const { position, copyOf } = boundary;
  if (copyOf === undefined) {
    return `The log begins at ${position}: what is older, and neither pinned nor kept, was removed or\nnot copied.`;
  }
  return `These are copies of checkpoints in ${copyOf}; what lies between them was not copied.`;
}

/** Several jobs: only which they are. */
export function jobsAnswer(logs: readonly LogView[], store: string): Answer {
  const jobs = logs.map((log) => {
    const all = log.lines.filter((line) => line.kind === 'checkpoint');
    return {
      job: log.job,
      checkpoints: all.length,
      newest: all[0]?.position ?? null,
      created: all[0]?.record.createdAt,
    };
  });
  const rows = jobs.map(
    (job): FlatRow => ({ ...job, created: job.created === undefined ? null : timeText(job.created) }),
  );
  const warnings = logs.flatMap(warningsOf);
  const text = paragraphs([`Jobs in ${store}`, tableText(rows), 'Name one of them with --job.']);
  return {
    text,
    json: { store, jobs, damage: warnings },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

function warningsOf(log: LogView): string[] {
  const found = log.boundaryError === null ? [] : [log.boundaryError.message];
  found.push(...log.pinErrors.map(({ message }) => message));
  for (const line of log.lines) {
    if (line.kind === 'damaged') found.push(line.error.message);
    if (line.kind === 'missing') found.push(`${log.job}: ${missingText(line)}`);
  }
  return found;
}

/** One table of all checkpoints, with lines of other things between its rows. */
function listText({ lines, first, boundary }: LogView, nowMs: number): string {
  // Copies below the boundary stay.
  const stays = boundary?.copyOf === undefined ? first : 0;
  const rows = lines.flatMap((line) => (line.kind === 'checkpoint' ? [checkpointRow(line, stays, nowMs)] : []));
  const [head = '', rule = '', ...body] = tableText(rows).split('\n');
  const texts = body.values();
  const between = lines.flatMap((line) =>
    line.kind === 'checkpoint' ? [texts.next().value ?? '', ...failedTexts(line)] : [otherText(line)],
  );
  return (rows.length === 0 ? between : [head, rule, ...between]).join('\n');
}

/** Attempts that came to nothing before a checkpoint, the newest first as all else here. */
function failedTexts({ position, record: { failed } }: Extract<LogLine, { kind: 'checkpoint' }>): string[] {
  const shown = failed.slice(-FAILED_SHOWN).toReversed();
  const more = failed.length - shown.length;
  const rest = more === 0 ? [] : [`×  and ${counted(more, 'attempt')} before: tidemark show ${position}`];
  return [...shown.map((attempt) => `×  ${failedText(attempt)}`), ...rest];
}

/** What fits 80 columns; `show` and `--json` have the rest. */
function checkpointRow(line: Extract<LogLine, { kind: 'checkpoint' }>, first: number, nowMs: number): FlatRow {
  const { record } = line;
  const notes = [
    pinText(line.pin),
    line.standing === 'abandoned' ? 'ABANDONED' : '',
    line.position < first && line.pin === null ? 'to be removed' : '',
    record.finished ? 'finished' : '',
    record.releases ? 'releases' : '',
    record.failed.length > 0 ? `after ${counted(record.failed.length, 'failed attempt')}` : '',
  ];
  return {
    // A text: a position is a name, not an amount.
    position: String(record.position),
    created: timeText(record.createdAt),
    age: ageText(nowMs - Date.parse(record.createdAt)),
    size: bytes(line.bytes),
    units: record.history.units,
    notes: notes.filter((note) => note !== '').join(', '),
  };
}

function otherText(line: Exclude<LogLine, { kind: 'checkpoint' }>): string {
  const mark = line.standing === 'abandoned' ? '  (abandoned)' : '';
  switch (line.kind) {
    case 'term': {
      const { term, from, host, pid, createdAt } = line.record;
      const begin = from === 'fresh' ? 'begins anew' : `from ${from}`;
      return `── ${line.position}: term ${term} ${begin}, ${host}, pid ${pid}, ${timeText(createdAt)}${mark}`;
    }
    case 'damaged':
      return `!! ${line.position}: DAMAGED: ${line.error.message}${mark}`;
    case 'missing':
      return `!! MISSING: ${missingText(line)}${mark}`;
    default:
      return assertNever(line);
  }
}

function missingText({ position, oldest }: Extract<LogLine, { kind: 'missing' }>): string {
  return position === oldest ? `record ${position} is missing` : `records ${oldest} to ${position} are missing`;
}

function lineJson(line: LogLine): object {
  const { kind, position, standing } = line;
  switch (line.kind) {
    case 'term': {
      const { term, from, host, pid, createdAt } = line.record;
      return { kind, position, standing, term, from, host, pid, createdAt };
    }
    case 'checkpoint': {
      const { cut, term, createdAt, releases, finished, history, failed } = line.record;
      const { workers, bytes: size, publishMs } = line;
      return {
        kind,
        position,
        standing,
        cut,
        term,
        createdAt,
        bytes: size,
        workers,
        releases,
        finished,
        history: { ...history, publishMs },
        failed: failedJson(failed),
        pin: line.pin,
      };
    }
    case 'damaged':
      return { kind, position, standing, code: line.error.code, message: line.error.message };
    case 'missing':
      return { kind, position, standing, oldest: line.oldest };
    default:
      return assertNever(line);
  }
}
