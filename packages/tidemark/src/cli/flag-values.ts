/** `Number` reads the empty text as 0, and hexadecimal; people who type that mean something else. */
export function readNumber(value: string): number {
  return /^[+-]?\d[\d_]*(\.\d+)?(e\d+)?$/i.test(value) ? Number(value.replaceAll('_', '')) : Number.NaN;
}

export function wrongFlag(flag: string, value: string, expected: string): string {
  return `${flag} ${value.trim() === '' ? "''" : value}: expected ${expected}.`;
}
