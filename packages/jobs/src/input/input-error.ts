import { rowBytesMax } from './limits.ts';

export type InputErrorCode =
  /** An input changed since the run whose checkpoint is gone on from. */
  | 'INPUT_CHANGED'
  /** A column that the job asks for is in no header. */
  | 'INPUT_COLUMN_UNKNOWN'
  | 'INPUT_EMPTY_FOLDER'
  | 'INPUT_NOT_FOUND'
  | 'INPUT_NOT_READABLE'
  /** A CSV file has no header, or one that cannot name its columns. */
  | 'INPUT_NO_HEADER'
  | 'ROW_TOO_LONG';

export interface InputProblem {
  readonly code: InputErrorCode;
  /** What is wrong with which input, expected and got, and what to do. */
  readonly message: string;
}

/** What is wrong with the inputs of a job. It tells all problems that were found; `code` is that of the first. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: InputErrorCode;
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly [InputProblem, ...InputProblem[]]) {
    super(problems.map((problem) => problem.message).join('\n'));
    this.code = problems[0].code;
    this.problems = problems;
  }
}

/** Throws what was found, if anything was. */
export function throwProblems(problems: readonly InputProblem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw new InputError([first, ...others]);
}

/** For the reader of a split, when `rowBytesMax` bytes hold no whole row; `offset` is that of the row in the file. */
export function rowTooLong(path: string, offset: number): InputError {
  return new InputError([
    {
      code: 'ROW_TOO_LONG',
      message:
        `The row at byte ${offset} of ${path} is longer than ${rowBytesMax} bytes, the most that is read at once. ` +
        'In CSV it is most likely a quote that opens a field and is never closed: correct the file.',
    },
  ]);
}
