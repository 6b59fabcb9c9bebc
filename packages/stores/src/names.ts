import { StoreError } from './errors.ts';
import { NAME_CHARS_MAX, SEGMENT_CHARS_MAX } from './limits.ts';

/**
 * Names of objects: one rule for every store, so that a checkpoint can be copied from any kind of store to any other, and
 * so that no name leads out of a folder.
 *
 * A name is one or more segments between single slashes. As a segment begins with a letter or digit, `..`, hidden files,
 * absolute paths and options (`-rf`) are impossible by form. One name is never a folder of another: `a` and `a/b` exclude
 * each other (a folder store refuses the second; other stores do not look).
 */
const SEGMENT = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${SEGMENT_CHARS_MAX - 1}}$`);

/** First segment that belongs to the stores themselves: unfinished files live there and are never listed. */
export const TEMP_FOLDER = 'tmp';

/** Whether `text` may stand between two slashes of a name; job ids keep the same rule. */
export function isNameSegment(text: string): boolean {
  return SEGMENT.test(text);
}

/** Throws `STORE_BAD_NAME` unless an object may have this name. */
export function checkName(name: string): void {
  const segments = name.split('/');
  if (name.length <= NAME_CHARS_MAX && segments.every(isNameSegment) && !isReserved(segments)) return;
  throw badName('name', name);
}

/** Throws `STORE_BAD_NAME` unless some object's name may begin like this. The empty prefix stands for all objects. */
export function checkPrefix(prefix: string): void {
  const segments = prefix.split('/');
  const last = segments.pop() ?? '';
  const lastIsBegun = last === '' || isNameSegment(last);
  if (prefix.length <= NAME_CHARS_MAX && segments.every(isNameSegment) && lastIsBegun && segments[0] !== TEMP_FOLDER)
    return;
  throw badName('prefix', prefix);
}

function isReserved(segments: readonly string[]): boolean {
  return segments[0] === TEMP_FOLDER;
}

function badName(what: 'name' | 'prefix', text: string): StoreError {
  const shown = JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
  return new StoreError(
    'fatal',
    'STORE_BAD_NAME',
    `${shown} is no ${what} of an object. Expected segments of 1 to ${SEGMENT_CHARS_MAX} letters, digits, ".", "_" or "-", ` +
      `each beginning with a letter or digit, between single slashes, at most ${NAME_CHARS_MAX} characters in all, and not ` +
      `under "${TEMP_FOLDER}/", which belongs to the store. Use another ${what}.`,
  );
}
