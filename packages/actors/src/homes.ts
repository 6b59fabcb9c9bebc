import { definitionOf } from './definition.ts';
import { homeOfGroup, keyGroup } from './key-group.ts';

/** Addresses remembered per definition: a hash costs ten times a look-up. */
const HOMES_MAX = 100_000;

/** At which thread each actor lives. */
export class Homes {
  readonly #workers: number;
  readonly #known = new Map<string, Map<string, number>>();

  /** Who sends to an actor often sends to it again. */
  #lastType: string | null = null;
  #lastKey = '';
  #last = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  of(type: string, key: string): number {
    if (key === this.#lastKey && type === this.#lastType) return this.#last;
    this.#last = this.#look(type, key);
    this.#lastType = type;
    this.#lastKey = key;
    return this.#last;
  }

  #look(type: string, key: string): number {
    const homes = this.#known.get(type);
    const known = homes?.get(key);
    if (known !== undefined) return known;
    const home = definitionOf(type).place === 'host' ? 0 : homeOfGroup(keyGroup(type, key), this.#workers);
    if (homes === undefined) this.#known.set(type, new Map([[key, home]]));
    else if (homes.size < HOMES_MAX) homes.set(key, home);
    return home;
  }
}
