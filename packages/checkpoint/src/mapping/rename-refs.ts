import { decodeValue, encodeValue } from '@tidemark/actors/internal';

/** Counts, by old name, the refs that were renamed. */
export type RefCount = (oldName: string) => void;

/**
 * Renames the refs in values. A ref is an object with the fields `type` and `key`, both texts, and no other; it is
 * taken for one to a renamed definition where its `type` is the old name. Objects are changed in place, so that what
 * was shared stays shared.
 */
export class RefRenamer {
  readonly #names: ReadonlyMap<string, string>;
  readonly #needles: readonly Buffer[];
  readonly #counted: RefCount;

  constructor(names: ReadonlyMap<string, string>, counted: RefCount) {
    this.#names = names;
    this.#needles = [...names.keys()].map((name) => Buffer.from(name));
    this.#counted = counted;
  }

  /** No name has changed. */
  get idle(): boolean {
    return this.#names.size === 0;
  }

  /** The bytes of a value with its refs renamed; the same bytes where it has none. */
  packed(bytes: Uint8Array): Uint8Array {
    // Without the name in them there is nothing to decode for.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!this.#needles.some((needle) => text.includes(needle))) return bytes;
    const value = decodeValue(bytes);
    return this.inPlace(value) ? encodeValue(value) : bytes;
  }

  /** Renames what is in a value; answers whether there was anything. */
  inPlace(value: unknown): boolean {
    if (this.idle) return false;
    const seen = new Set<object>();
    const open: unknown[] = [value];
    let found = false;
    while (open.length > 0) {
      const next = open.pop();
      if (typeof next !== 'object' || next === null || seen.has(next)) continue;
      seen.add(next);
      if (next instanceof Map) for (const [key, field] of next) open.push(key, field);
      else if (next instanceof Set || Array.isArray(next)) for (const item of next) open.push(item);
      else if (!ArrayBuffer.isView(next) && !(next instanceof ArrayBuffer) && !(next instanceof Date)) {
        if (this.#renamed(next as Record<string, unknown>)) found = true;
        else for (const field of Object.values(next)) open.push(field);
      }
    }
    return found;
  }

  #renamed(value: Record<string, unknown>): boolean {
    const { type, key } = value;
    if (typeof type !== 'string' || typeof key !== 'string' || Object.keys(value).length !== 2) return false;
    const name = this.#names.get(type);
    if (name === undefined) return false;
    value['type'] = name;
    this.#counted(type);
    return true;
  }
}
