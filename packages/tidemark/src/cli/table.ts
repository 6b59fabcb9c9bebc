import { grouped } from './numbers.ts';
import { padEnd, padStart, plain, widest } from './padding.ts';

export type Cell = string | number | bigint | boolean | null | undefined;
export type FlatRow = Readonly<Record<string, Cell>>;

/** Rows in aligned columns, in the order in which the rows name them; numbers to the right. Empty without rows. */
export function tableText(rows: readonly FlatRow[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) =>
    column(
      name,
      rows.map((row) => row[name]),
    ),
  );
  const height = columns[0]?.length ?? 0;
  return Array.from({ length: height }, (_, line) =>
    columns
      .map((texts) => texts[line] ?? '')
      .join('  ')
      .trimEnd(),
  ).join('\n');
}

/** Numbers as text: two places for all when one of them is no whole number, so that the points stand in line. */
export function numberColumn(values: readonly (number | bigint)[]): readonly string[] {
  const decimals = values.some((value) => typeof value === 'number' && !Number.isInteger(value)) ? 2 : 0;
  return values.map((value) => (typeof value === 'number' ? grouped(value, decimals) : groupedBigint(value)));
}

/** Head, rule and cells of one column, padded to its width. */
function column(name: string, cells: readonly Cell[]): readonly string[] {
  const numbers = cells.filter(isNumber);
  const isNumeric = numbers.length > 0 && cells.every((cell) => isNumber(cell) || isNothing(cell));
  const texts = isNumeric ? numbersWithGaps(cells, numbers) : cells.map(cellText);
  const head = plain(name);
  const width = widest([head, ...texts]);
  const pad = isNumeric ? padStart : padEnd;
  return [pad(head, width), '─'.repeat(width), ...texts.map((text) => pad(text, width))];
}

function numbersWithGaps(cells: readonly Cell[], numbers: readonly (number | bigint)[]): readonly string[] {
  const texts = numberColumn(numbers).values();
  return cells.map((cell) => (isNothing(cell) ? '' : (texts.next().value ?? '')));
}

function cellText(cell: Cell): string {
  if (isNothing(cell)) return '';
  return isNumber(cell) ? (numberColumn([cell])[0] ?? '') : plain(String(cell));
}

function groupedBigint(value: bigint): string {
  return value.toString().replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',');
}

function isNumber(cell: Cell): cell is number | bigint {
  return typeof cell === 'number' || typeof cell === 'bigint';
}

function isNothing(cell: Cell): cell is null | undefined {
  return cell === null || cell === undefined;
}
