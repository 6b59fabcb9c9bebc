import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codedText } from './cli-errors.ts';
import { isKnownCode } from './exit-codes.ts';
import { CAUSES_MAX } from './limits.ts';

/**
 * An error as a person reads it: code and message, then a line for each cause. Stacks only where they help: when the
 * error is none of ours, or was asked for.
 */
export function errorText(error: unknown, stacks: 'short' | 'with-stacks'): string {
  const code = errorCode(error);
  const message = errorMessage(error);
  const lines = [`tidemark: ${code === undefined ? codedText('UNEXPECTED', message) : `${code}: ${message}`}`];
  const whole = stacks === 'with-stacks' || !isKnownCode(code);
  if (whole) lines.push(...frames(error));
  for (const cause of causes(error)) {
    lines.push(...causeLines(cause, lines.join('\n'), whole ? undefined : place(cause)));
    if (whole) lines.push(...frames(cause));
  }
  return lines.join('\n');
}

/** What a cause adds to what was said before it: many a message has that of its cause in it. */
function causeLines(cause: unknown, said: string, where: string | undefined): readonly string[] {
  const message = errorMessage(cause);
  const isSaid = said.includes(cause instanceof Error ? cause.message : message);
  if (!isSaid) return [`  because: ${message}${where === undefined ? '' : ` (${where})`}`];
  return where === undefined ? [] : [`  ${where}`];
}

/** The code, if it looks like one: an error that crossed a thread has its JavaScript name there when it had no code. */
export function errorCode(error: unknown): string | undefined {
  const code = rawCode(error);
  return code !== undefined && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined;
}

function rawCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function errorMessage(error: unknown): string {
  if (error instanceof Error) return named(error);
  try {
    return `something that is not an Error was thrown: ${String(error)}`;
  } catch {
    return 'something that is not an Error was thrown, and it cannot be shown';
  }
}

/** The name tells something where it is JavaScript's own (`TypeError`), not where the code says it all. */
function named(error: Error): string {
  if (errorCode(error) !== undefined) return error.message;
  const name = rawCode(error) ?? error.name;
  return name === 'Error' ? error.message : `${name}: ${error.message}`;
}

function causes(error: unknown): readonly unknown[] {
  const found: unknown[] = [];
  let next = causeOf(error);
  while (next !== undefined && found.length < CAUSES_MAX && !found.includes(next)) {
    found.push(next);
    next = causeOf(next);
  }
  return found;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function frames(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  return error.stack.split('\n').filter((line) => /^\s+at /.test(line));
}

/** The line of the user's code that threw: the first frame that is neither Node's, nor a package's, nor ours. */
function place(error: unknown): string | undefined {
  const own = frames(error).find((line) => !/node:|node_modules/.test(line) && !isOurs(line));
  return own?.trim();
}

/** In its own repository Tidemark does not lie in node_modules. */
function isOurs(frame: string): boolean {
  const [, inside] = frame.split(PACKAGES);
  return inside !== undefined && /^(?:actors|stores|checkpoint|jobs|tidemark)\/dist\//.test(inside);
}

const PACKAGES = `${pathToFileURL(join(import.meta.dirname, '..', '..', '..')).href}/`;
