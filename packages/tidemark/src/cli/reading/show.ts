import type { Census, CheckpointView, MotionGroup, PinNote } from '@tidemark/checkpoint/internal';
import type { JobFacts } from '@tidemark/jobs/internal';
import { s3DollarsPerDay } from '@tidemark/stores';
import { RECEIVERS_SHOWN } from '../limits.ts';
import { bytes, counted, grouped } from '../numbers.ts';
import { type FlatRow, tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import { factsText, msText, pinText, timeText } from './facts.ts';
import { definitionRows, failedJson, failedRows, slowestText, threadRows } from './history.ts';

/** Everything about one checkpoint but its states. */
export function showAnswer(view: CheckpointView, census: Census, job: JobFacts | null): Answer {
  const warnings = view.parts.flatMap((part) => (part.ok ? [] : [part.error.message]));
  // What lies in the others, nobody can tell: amounts would be taken for all there is.
  const of = warnings.length === 0 ? '' : ' of the parts that can be read';
  return {
    text: paragraphs([
      recordText(view),
      ...historyTexts(view.record),
      titled('Parts', tableText(view.parts.map(partRow))),
      titled(
        `Units${of}`,
        tableText(census.units.map(({ type, table, ...rest }) => ({ ...named(type, table), ...rest }))),
      ),
      motionText(census, of),
      ...(job === null ? [] : jobTexts(job, view.record.position, of)),
    ]),
    json: { ...recordJson(view), parts: view.parts.map(partJson), ...census, input: job, damage: warnings },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

/** How the attempt went, by thread and definition, and which ones before it came to nothing. */
function historyTexts({ history, failed }: CheckpointView['record']): string[] {
  const threads = tableText(threadRows(history));
  const definitions = tableText(definitionRows(history));
  return [
    threads === '' ? '' : titled('Threads, since the cut began', threads),
    definitions === '' ? '' : titled('Units that were written', definitions),
    failed.length === 0 ? '' : titled('Failed before it', tableText(failedRows(failed))),
  ];
}

function recordText({ job, record, pin, publishMs }: CheckpointView): string {
  const { history: h } = record;
  const definitions = Object.entries(record.definitions).map(([name, version]) => `${name} v${version}`);
  return factsText([
    ['checkpoint', `${record.position} of job ${job}${record.finished ? ', the job has finished with it' : ''}`],
    ['created', timeText(record.createdAt)],
    ['stays', pin === null ? null : staysText(pin)],
    ['cut', `${record.cut}, term ${record.term}`],
    ['workers', String(record.parts.length - 1)],
    ['definitions', definitions.length === 0 ? 'none' : definitions.join(', ')],
    ['releases', record.releases ? 'output of a job: going back before it makes it again' : 'nothing'],
    ['duration', `${msText(h.durationMs)}, pause ${msText(h.pauseMs)}, skew ${msText(h.skewMs)}`],
    ['holds', `${counted(h.units, 'unit')}, ${counted(h.messages, 'message')} in flight, ${bytes(h.bytes)}`],
    ['last', slowestText(h)],
    ['store', trafficText(h.traffic)],
    ['published', publishMs === null ? null : `in ${msText(publishMs)}`],
    ['previous', record.previous],
  ]);
}

/** `since the one before: 3 PutObject, 1 ListObjectsV2; 1.2 MB sent, 300 B received; in S3 about $0.43 a day like this` */
function trafficText(traffic: CheckpointView['record']['history']['traffic']): string | null {
  if (traffic === undefined) return null;
  const requests = Object.entries(traffic.requests).map(([name, count]) => `${count} ${name}`);
  const dollars = s3DollarsPerDay(traffic, traffic.ms);
  const cost = dollars === null ? '' : `; requests like these cost about $${dollars.toFixed(2)} a day in S3`;
  const moved = `${bytes(traffic.bytesSent)} sent, ${bytes(traffic.bytesReceived)} received`;
  return `since the one before: ${requests.length === 0 ? 'no request' : requests.join(', ')}; ${moved}${cost}`;
}

function staysText(pin: PinNote): string {
  if (pin.by === 'retention') return 'kept: of its hour, day or week, or as a spare (see tidemark gc --dry-run)';
  const since = pin.createdAt === null ? '' : ` since ${timeText(pin.createdAt)}`;
  return `${pinText(pin)}${since}`;
}

function recordJson({ job, record, hash, pin, publishMs }: CheckpointView): object {
  const { position, cut, term, putId, createdAt, previous, definitions, releases, finished, history, failed } = record;
  return {
    job,
    position,
    cut,
    term,
    putId,
    createdAt,
    previous,
    sha256: hash,
    definitions,
    releases,
    finished,
    history: { ...history, publishMs },
    failed: failedJson(failed),
    pin,
  };
}

function partRow(part: CheckpointView['parts'][number]): FlatRow {
  const { ref } = part;
  const found = part.ok ? part.content : null;
  return {
    thread: ref.thread === 0 ? 'host' : String(ref.thread),
    size: bytes(ref.files.reduce((total, { length }) => total + length, 0)),
    units: found?.units.length ?? null,
    where: whereText(ref.files),
    state: part.ok ? 'whole' : 'DAMAGED',
  };
}

function partJson({ ref, ...part }: CheckpointView['parts'][number]): object {
  const { thread } = ref;
  const files = ref.files.map((file) => ({
    cut: file.cut,
    length: file.length,
    sha256: file.sha256,
    path: 'path' in file ? file.path : null,
  }));
  return { thread, files, ok: part.ok, units: part.ok ? part.content.units.length : null };
}

/** The newest file, and how many it builds on. */
function whereText(files: CheckpointView['parts'][number]['ref']['files']): string {
  const newest = files.at(-1);
  const where = newest === undefined || !('path' in newest) ? 'in the record' : newest.path;
  return files.length < 2 ? where : `${where} + ${files.length - 1}`;
}

function motionText({ motion, receivers }: Census, of: string): string {
  if (motion.length === 0) return `On the wire${of}: nothing`;
  const most = receivers
    .slice(0, RECEIVERS_SHOWN)
    .map(({ type, key, messages }) => `${type}/${key} ${grouped(messages)}`);
  const rest = receivers.length - most.length;
  const more = rest === 0 ? '' : `, and ${counted(rest, 'other')}`;
  const to = most.length === 0 ? '' : `Most of it to ${most.join(', ')}${more}`;
  return [titled(`On the wire${of}`, tableText(motion.map(motionRow))), to].filter((text) => text !== '').join('\n');
}

function motionRow({ type, handler, at, messages }: MotionGroup): FlatRow {
  return { receiver: type, message: handler ?? 'rows', ...at, all: messages };
}

function jobTexts(job: JobFacts, position: number, of: string): string[] {
  const files = job.files.map(
    ({ path, sizeBytes, readBytes, rows, badRows }): FlatRow => ({
      file: path,
      read: sizeBytes === 0 ? '100 %' : `${Math.floor((readBytes / sizeBytes) * 100)} %`,
      bytes: `${grouped(readBytes)} of ${grouped(sizeBytes)}`,
      rows,
      'bad rows': badRows,
    }),
  );
  const waiting = job.waiting.map(
    ({ sink, position: named_, task, lines, bytes: size }): FlatRow => ({
      to: (sink === 'bad' ? job.badRowsTo : job.output) ?? sink,
      // What no record had named is named by this one.
      file: `${String(named_ ?? position).padStart(20, '0')}-${task}.ndjson`,
      lines,
      size: bytes(size),
    }),
  );
  const counters = Object.entries(job.counters).map(([name, value]): FlatRow => ({ counter: name, value }));
  const end = job.ended ? 'The input has ended, and each key has had its last word.' : '';
  return [
    titled(`Input${of}`, tableText(files)),
    end,
    waiting.length === 0 ? '' : titled('Output that waits to be written', tableText(waiting)),
    tableText(counters),
  ];
}

function named(type: string, table: string): FlatRow {
  return { definition: type, table: table === '' ? 'state' : table };
}

function titled(title: string, text: string): string {
  return text === '' ? `${title}: none` : `${title}\n${text}`;
}
