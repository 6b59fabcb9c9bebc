import type { DefinitionCount } from './record.ts';

/** Units and their bytes, by the name of the definition that they belong to. Entries of one definition mostly follow each other. */
export class DefinitionCounts {
  readonly #all = new Map<string, { readonly name: string; units: number; bytes: number }>();
  #last = { name: '', units: 0, bytes: 0 };

  add(name: string, units: number, bytes: number): void {
    if (name !== this.#last.name) this.#last = this.#of(name);
    this.#last.units += units;
    this.#last.bytes += bytes;
  }

  all(): readonly DefinitionCount[] {
    return [...this.#all.values()];
  }

  #of(name: string): { name: string; units: number; bytes: number } {
    let found = this.#all.get(name);
    if (found === undefined) this.#all.set(name, (found = { name, units: 0, bytes: 0 }));
    return found;
  }
}
