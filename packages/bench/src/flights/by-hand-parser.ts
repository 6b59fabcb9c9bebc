/** The flights file's rows, read by a parser that knows the file: five fields, no quotes, whole numbers, ASCII. */

export interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const comma = 0x2c;
const lineFeed = 0x0a;
const minus = 0x2d;
const zero = 0x30;

/** Airports by their three letters packed into one number: a text is made once. */
const airports = new Map<number, string>();
const dateLength = 24;
const lastDateBytes = Buffer.alloc(dateLength);
let lastDate = '';

/** Pushes whole rows of bytes[at, end) and answers the offset behind the last one. */
export function parseFlights(bytes: Buffer, at: number, end: number, rowsMax: number, out: Flight[]): number {
  const limit = end === 0 ? 0 : bytes.lastIndexOf(lineFeed, end - 1) + 1;
  let next = at;
  for (let rows = 0; rows < rowsMax && next < limit; rows++) {
    const date = dateOf(bytes, next);
    let place = next + dateLength + 1;
    const delay = wholeNumber(bytes, place);
    place = numberEnd + 1;
    const distance = wholeNumber(bytes, place);
    const origin = airport(bytes, numberEnd + 1);
    const destination = airport(bytes, numberEnd + 5);
    out.push({ date, delay, distance, origin, destination });
    next = numberEnd + 9;
  }
  return next;
}

/** Rows stand in the order of their dates: most have the date of the row before. The last bytes differ first. */
function dateOf(bytes: Buffer, start: number): string {
  for (let at = dateLength - 1; at >= 0; at--) {
    if (bytes[start + at] === lastDateBytes[at]) continue;
    bytes.copy(lastDateBytes, 0, start, start + dateLength);
    lastDate = lastDateBytes.toString('latin1');
    return lastDate;
  }
  return lastDate;
}

/** Where the number that was read last ends. */
let numberEnd = 0;

function wholeNumber(bytes: Buffer, start: number): number {
  const negative = bytes[start] === minus;
  let at = negative ? start + 1 : start;
  let value = 0;
  for (; bytes[at] !== comma; at++) value = value * 10 + bytes[at] - zero;
  numberEnd = at;
  return negative ? -value : value;
}

function airport(bytes: Buffer, start: number): string {
  const packed = (bytes[start] << 16) | (bytes[start + 1] << 8) | bytes[start + 2];
  let name = airports.get(packed);
  if (name === undefined) airports.set(packed, (name = bytes.toString('latin1', start, start + 3)));
  return name;
}
