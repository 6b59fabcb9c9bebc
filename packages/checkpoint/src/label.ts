import { CheckpointError } from './errors.ts';
import { LABEL_CHARS_MAX } from './limits.ts';

/** A letter first, so that no label is taken for a position. */
const LABEL = new RegExp(String.raw`^\p{L}[\p{L}\p{M}\p{N}._-]{0,${LABEL_CHARS_MAX - 1}}$`, 'u');

/**
 * A label as it is kept: texts that look alike are alike.
 *
 * @throws CheckpointError `LABEL_INVALID`
 */
export function checkLabel(text: string): string {
  const label = text.normalize('NFC');
  if (LABEL.test(label)) return label;
  throw new CheckpointError(
    'LABEL_INVALID',
    `label ${JSON.stringify(text)}: expected a letter, then letters, digits, '.', '_' and '-', ${LABEL_CHARS_MAX} characters at most`,
  );
}
