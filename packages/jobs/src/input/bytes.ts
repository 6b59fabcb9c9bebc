/** Bytes that have a meaning in rows of text. */
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const quote = 0x22;
export const minus = 0x2d;
export const dot = 0x2e;
export const digitZero = 0x30;
export const digitNine = 0x39;
export const asciiMax = 0x7f;

/** The slices of a Buffer by encoding, which Node has since its beginning but does not declare: `toString` without its checks. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

export function latin1Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & Slices).latin1Slice(start, end);
}

export function utf8Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & Slices).utf8Slice(start, end);
}

/** Characters in the bytes from `start` to `end`: all bytes but the second, third and fourth of a UTF-8 character. */
export function charactersIn(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) {
    if ((bytes[at] & 0xc0) !== 0x80) count++;
  }
  return count;
}
