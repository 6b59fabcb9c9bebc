import type { Progress, RunEvent } from '@tidemark/jobs/internal';
import { bytes, counted, duration, short } from './numbers.ts';

/** What the live line shows. */
export interface Figures {
  readonly job: string;
  readonly progress: Progress;
  readonly rowsPerSecond: number;
  /** The last checkpoint of this run; null before the first. */
  readonly checkpoint: Extract<RunEvent, { event: 'checkpoint' }> | null;
}

/** The parts of the line, most wanted first. */
export function figureTexts({ job, progress, rowsPerSecond, checkpoint }: Figures): readonly string[] {
  const { rows, badRows, bytesRead, bytesTotal } = progress;
  const texts = [job, counted(rows, 'row')];
  if (bytesTotal > 0) texts.push(`${Math.min(100, Math.floor((bytesRead * 100) / bytesTotal))} %`);
  texts.push(`${short(rowsPerSecond)} rows/s`);
  if (checkpoint !== null) texts.push(checkpointText(checkpoint));
  if (badRows > 0) texts.push(counted(badRows, 'bad row'));
  return texts;
}

/**
 * As many parts as fit in one line of `columns` characters: a line that wraps could not be redrawn in place. The job's
 * name, the first part, goes first: who started the job knows it.
 */
export function lineText(texts: readonly string[], columns: number): string {
  const whole = texts.join(' · ');
  if (whole.length < columns) return whole;
  let line = '';
  for (const text of texts.slice(1)) {
    const longer = line === '' ? text : `${line} · ${text}`;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

function checkpointText({ position, durationMs, bytes: size }: NonNullable<Figures['checkpoint']>): string {
  return `checkpoint ${position}: ${duration(durationMs)}, ${bytes(size)}`;
}
