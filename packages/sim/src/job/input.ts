import type { Chance } from '@tidemark/actors/testing/internal';

/** Where the input's files are. */
export const INPUT_FOLDER = '/simulated/in';

export interface InputRow {
  readonly file: number;
  /** First byte in the file. */
  readonly offset: number;
  /** Null for a row that nobody can read. */
  readonly value: { readonly key: string; readonly id: number } | null;
}

/** The files that a job reads, and what is in them. */
export interface Input {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly rows: readonly InputRow[];
}

const FILES = 2;
/** Rows of all files. */
const ROWS: readonly number[] = [30, 80, 160];
const KEYS: readonly number[] = [3, 10, 40];
const BAD_SHARE = 0.03;

export function drawInput(chance: Chance): Input {
  const count = chance.pick(ROWS);
  const keys = chance.pick(KEYS);
  const rows: InputRow[] = [];
  const files = new Map<string, Buffer>();
  for (let file = 0; file < FILES; file++) {
    let text = '';
    for (let id = file * count; id < (file + 1) * count; id++) {
      const value = chance.isTrue(BAD_SHARE) ? null : { key: `k${chance.below(keys)}`, id };
      rows.push({ file, offset: text.length, value });
      text += value === null ? badLine(chance) : `{"key":"${value.key}","value":${id}}\n`;
    }
    files.set(`${INPUT_FOLDER}/${file}.ndjson`, Buffer.from(text, 'ascii'));
  }
  return { files, rows };
}

function badLine(chance: Chance): string {
  return chance.pick(['{"key":"k1","val\n', '{"value":7}\n', 'no row\n']);
}
