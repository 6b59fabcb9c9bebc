import picocolors from 'picocolors';

/** Colours on stderr by what they mean. */
export interface Paints {
  readonly faint: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly failure: (text: string) => string;
}

/** No colours where they are not wanted (NO_COLOR, see no-color.org) or not seen. */
export function paintsFor(stream: { readonly isTTY?: boolean | undefined }): Paints {
  const { NO_COLOR = '', TERM } = process.env;
  const colors = picocolors.createColors(stream.isTTY === true && NO_COLOR === '' && TERM !== 'dumb');
  return { faint: colors.dim, warning: colors.yellow, failure: colors.red };
}
