/** Where two values of plain data differ first, and what stands there. */
export interface Difference {
  readonly path: string;
  readonly one: unknown;
  readonly other: unknown;
}

export function firstDifference(one: unknown, other: unknown, path: string): Difference | null {
  if (Object.is(one, other)) return null;
  const here = { path, one, other };
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return here;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return here;
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime()) ? null : here;
  if (one instanceof ArrayBuffer || ArrayBuffer.isView(one)) {
    return Buffer.compare(bytesOf(one), bytesOf(other as ArrayBuffer)) === 0 ? null : here;
  }
  const ours = entriesOf(one);
  const theirs = entriesOf(other);
  for (const [index, [name, value]] of ours.entries()) {
    const theirEntry = theirs[index];
    if (theirEntry === undefined || firstDifference(name, theirEntry[0], path) !== null) return here;
    const found = firstDifference(value, theirEntry[1], `${path}${placeOf(one, name)}`);
    if (found !== null) return found;
  }
  return ours.length === theirs.length ? null : here;
}

/** What it holds, in order where there is one. */
function entriesOf(value: object): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value].map((item, index) => [index, item]);
  const entries = Object.entries(value);
  return Array.isArray(value) ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function placeOf(of: object, name: unknown): string {
  if (of instanceof Map) return `.get(${JSON.stringify(name)})`;
  return Array.isArray(of) || of instanceof Set ? `[${String(name)}]` : `.${String(name)}`;
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
