/** Text in columns. */

/** Data must not move the cursor or colour the screen. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '·');
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, width(text)), 0);
}

export function padStart(text: string, to: number): string {
  return ' '.repeat(Math.max(0, to - width(text))) + text;
}

export function padEnd(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}

/** Code points, not UTF-16 units: right for all but wide and combined characters. */
function width(text: string): number {
  return Array.from(text).length;
}
