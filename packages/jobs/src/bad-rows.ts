import { JobError } from './errors.ts';
import type { FileSink } from './file-sink.ts';
import type { InputFile } from './input/input-plan.ts';
import { locateRow } from './input/locate.ts';
import type { BadRow } from './input/row-parser.ts';

/** What `--bad-rows` says: end the job at the first one, count them, or set them aside in a folder, exactly once. */
export function badRowHandler(
  stopAtFirst: boolean,
  aside: FileSink | null,
  stopSource: () => void,
  fail: (error: unknown) => void,
): (file: InputFile, offset: number, bad: BadRow) => void {
  let stopped = false;
  return (file, offset, { column, reason, text }) => {
    aside?.append(JSON.stringify({ file: file.path, offset, column, reason, text }));
    if (!stopAtFirst || stopped) return;
    stopped = true;
    stopSource();
    // Within the turn that read the row: no flip can come before the end, so no checkpoint holds the row as read, and
    // whoever goes on from one meets it again.
    const { line } = locateRow(file.path, offset);
    fail(
      new JobError(
        'BAD_ROW',
        `${file.path}:${line}:${column}: ${reason}\n  ${text}\nCorrect the row and start with --fresh, or go on with --bad-rows skip or --bad-rows file:DIR.`,
      ),
    );
  };
}
