import { type InputProblem, throwProblems } from './input-error.ts';
import type { InputPlan } from './input-plan.ts';

/**
 * Checks that each CSV file of a plan has all the columns that a job asks for. Files may have more, and in any order.
 *
 * @throws InputError INPUT_COLUMN_UNKNOWN, with all columns missing in all files.
 */
export function checkColumns(plan: InputPlan, columns: readonly string[]): void {
  const problems: InputProblem[] = [];
  for (const { path, header } of plan.files) {
    for (const column of header === undefined ? [] : columns) {
      if (header?.includes(column)) continue;
      problems.push({
        code: 'INPUT_COLUMN_UNKNOWN',
        message: `${path} has no column ${JSON.stringify(column)}. ${adviceOf(column, header ?? [])}`,
      });
    }
  }
  throwProblems(problems);
}

function adviceOf(column: string, header: readonly string[]): string {
  const [nearest] = header
    .map((name) => ({ name, edits: editsBetween(plain(column), plain(name)) }))
    .sort((a, b) => a.edits - b.edits);
  const meant =
    nearest !== undefined && nearest.edits <= Math.max(1, column.length / 3)
      ? `Did you mean ${JSON.stringify(nearest.name)}? `
      : '';
  return `${meant}Its columns are ${header.map((name) => JSON.stringify(name)).join(', ')}.`;
}

/** Differences that are seen least are to count least. */
function plain(name: string): string {
  return name.trim().toLowerCase();
}

/** Least number of characters to insert, delete or replace (Wagner and Fischer, The String-to-String Correction Problem, 1974). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length];
}
