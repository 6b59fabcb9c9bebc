/** Turns an error as Vitest hands it over into text: name, code, message, diff, place in the source, stack, causes. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const colourful = process.env.NO_COLOR === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);
const colour = (code) => (text) => (colourful ? `\u001b[${code}m${text}\u001b[39;22m` : text);

export const paint = { red: colour(31), green: colour(32), yellow: colour(33), dim: colour(2) };

/** Causes of causes are shown so deep; more says nothing new. */
const causeDepthMax = 4;

export function describeError(error, root, depth = 0) {
  if (error === null || typeof error !== 'object') return String(error);
  const code = typeof error.code === 'string' ? ` [${error.code}]` : '';
  const lines = [paint.red(`${error.name ?? 'Error'}${code}: ${error.message ?? String(error)}`)];
  if (typeof error.diff === 'string' && error.diff !== '')
    lines.push('', colourful ? error.diff : stripVTControlCharacters(error.diff), '');
  lines.push(...stackLines(error, root));
  if (depth < causeDepthMax) {
    if (error.cause !== undefined && error.cause !== null)
      lines.push(`caused by ${describeError(error.cause, root, depth + 1)}`);
    if (Array.isArray(error.errors)) {
      for (const one of error.errors) lines.push(`one of them: ${describeError(one, root, depth + 1)}`);
    }
  }
  return lines.join('\n');
}

function stackLines(error, root) {
  if (!Array.isArray(error.stacks) || error.stacks.length === 0) {
    // A stack repeats the message in its first lines; frames of the test runner say nothing.
    const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    const own = frames.filter((line) => !/node_modules|node:internal|<anonymous>/.test(line));
    return (own.length > 0 ? own : frames).map((line) => line.trim().replace('file://', '').replace(`${root}/`, ''));
  }
  const lines = error.stacks.map(
    ({ method, file, line, column }) => `at ${method === '' ? '' : `${method} `}${place(file, root)}:${line}:${column}`,
  );
  const own = error.stacks.find(({ file }) => file.startsWith(root) && !file.includes('node_modules'));
  if (own !== undefined) lines.splice(1, 0, ...excerpt(own));
  return lines;
}

function place(file, root) {
  return isAbsolute(file) && file.startsWith(root) ? relative(root, file).replaceAll('\\', '/') : file;
}

function excerpt({ file, line }) {
  if (!existsSync(file)) return [];
  const source = readFileSync(file, 'utf8').split('\n');
  const from = Math.max(0, line - 3);
  return source
    .slice(from, line + 2)
    .map((text, index) =>
      paint.dim(`  ${from + index + 1 === line ? '>' : ' '} ${String(from + index + 1).padStart(4)} | ${text}`),
    );
}
