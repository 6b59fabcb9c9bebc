/** Spaces around a number are allowed; hexadecimal, NaN and infinities are not numbers. */
const decimal = /^[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t]*$/;
const blank = /^[ \t]*$/;

/** The number that a field's text means, null for an empty one, undefined when it is none. */
export function numberOfText(text: string): number | null | undefined {
  if (blank.test(text)) return null;
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
