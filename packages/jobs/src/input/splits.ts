/** Cuts the inputs of a job into splits that workers read on their own. */
import { delimiterByte } from './csv-format.ts';
import { type CsvHeader, readHeader } from './csv-header.ts';
import { nodeFiles } from './file-access.adapter.ts';
import type { FileAccess, OpenFile } from './file-access.ts';
import { type InputProblem, throwProblems } from './input-error.ts';
import { findFiles, identify, readUpTo, withFile } from './input-files.ts';
import type { InputFile, InputFormat, InputPlan, Split } from './input-plan.ts';
import { csvSeams, lineSeams } from './seams.ts';

export interface SplitOptions {
  /** Of CSV: one ASCII character; a comma when not given. */
  readonly delimiter?: string;
  /** Where the files are; on this machine when not given. */
  readonly files?: FileAccess;
}

/** A file and the bytes in which its rows lie. */
interface FoundFile extends InputFile {
  readonly start: number;
}

const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Plans how to read files, or all files of folders, in about `count` pieces of about equal size; each file that has
 * bytes makes at least one. Together the splits hold each row exactly once, without headers and byte order marks.
 *
 * @throws InputError with all problems found: INPUT_NOT_FOUND, INPUT_NOT_READABLE, INPUT_EMPTY_FOLDER, INPUT_NO_HEADER.
 * @example
 * const { files, splits } = await planSplits(['flights.csv'], 'csv', 8);
 */
export async function planSplits(
  inputs: readonly string[],
  format: InputFormat,
  count: number,
  options: SplitOptions = {},
): Promise<InputPlan> {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`The number of splits is an integer from 1, not ${count}.`);
  const delimiter = delimiterByte(options.delimiter);
  const { files = nodeFiles } = options;
  const problems: InputProblem[] = [];
  if (inputs.length === 0)
    problems.push({ code: 'INPUT_NOT_FOUND', message: 'No input is named. Name a file or a folder.' });
  const found: FoundFile[] = [];
  for (const path of await findFiles(files, inputs, problems)) {
    const file = await withFile(files, path, problems, (handle) => examine(handle, path, format, delimiter, problems));
    if (file !== undefined) found.push(file);
  }
  throwProblems(problems);
  const splits: Split[] = [];
  const bytesPerSplit = found.reduce((sum, file) => sum + file.size - file.start, 0) / count;
  for (const [index, file] of found.entries()) {
    const seams = await withFile(files, file.path, problems, (handle) =>
      seamsOf(handle, file, format, delimiter, bytesPerSplit),
    );
    if (seams !== undefined) splits.push(...splitsOf(index, file, seams));
  }
  throwProblems(problems);
  return { files: found.map(({ start: _, ...file }) => file), splits };
}

async function examine(
  handle: OpenFile,
  path: string,
  format: InputFormat,
  delimiter: number,
  problems: InputProblem[],
): Promise<FoundFile> {
  const identity = await identify(handle);
  const start = await afterByteOrderMark(handle);
  if (format !== 'csv') return { path, ...identity, start };
  const header: CsvHeader = await readHeader(handle, start, delimiter);
  if ('columns' in header) return { path, ...identity, header: header.columns, start: header.end };
  problems.push({
    code: 'INPUT_NO_HEADER',
    message: `The CSV file ${path} has no usable header: ${header.missing}. Its first row must name each column once.`,
  });
  return { path, ...identity, start };
}

async function afterByteOrderMark(handle: OpenFile): Promise<number> {
  const bytes = Buffer.alloc(byteOrderMark.length);
  await readUpTo(handle, bytes, 0);
  return bytes.equals(byteOrderMark) ? byteOrderMark.length : 0;
}

async function seamsOf(
  handle: OpenFile,
  { start, size }: FoundFile,
  format: InputFormat,
  delimiter: number,
  bytesPerSplit: number,
): Promise<readonly number[]> {
  if (start >= size) return [];
  const count = Math.max(1, Math.round((size - start) / bytesPerSplit));
  const search = { handle, start, end: size, count };
  return format === 'csv' ? csvSeams(search, delimiter) : lineSeams(search);
}

function splitsOf(file: number, { start, size }: FoundFile, seams: readonly number[]): readonly Split[] {
  if (start >= size) return [];
  const starts = [start, ...seams];
  return starts.map((from, index) => ({ file, start: from, end: starts[index + 1] ?? size }));
}
