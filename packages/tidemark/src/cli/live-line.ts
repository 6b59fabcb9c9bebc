import type { Progress, RunEvent } from '@tidemark/jobs/internal';
import { bytes, counted, duration, grouped } from './numbers.ts';

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
  texts.push(`${grouped(rowsPerSecond)} rows/s`);
  if (checkpoint !== null) texts.push(checkpointText(checkpoint));
  if (badRows > 0) texts.push(counted(badRows, 'bad row'));
  return texts;
}

/** As many parts as fit in one line of `columns` characters: a line that wraps could not be redrawn in place. */
export function lineText(texts: readonly string[], columns: number): string {
  let line = '';
  for (const text of texts) {
    const longer = line === '' ? text : `${line} · ${text}`;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

function checkpointText({ position, durationMs, bytes: size }: NonNullable<Figures['checkpoint']>): string {
  return `checkpoint ${position} in ${duration(durationMs)}, ${bytes(size)}`;
}
