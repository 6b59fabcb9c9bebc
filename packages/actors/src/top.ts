/** The largest of many, without sorting all of them. */
export class Top<T> {
  readonly #size: number;
  readonly #kept: { readonly item: T; readonly amount: number }[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** `make` is called only for what is kept. */
  offer(amount: number, make: () => T): void {
    const kept = this.#kept;
    if (kept.length === this.#size && amount <= kept[kept.length - 1].amount) return;
    const place = kept.findIndex((other) => other.amount < amount);
    kept.splice(place < 0 ? kept.length : place, 0, { item: make(), amount });
    if (kept.length > this.#size) kept.pop();
  }

  /** The largest first; of equals the one that came first. */
  get items(): readonly T[] {
    return this.#kept.map(({ item }) => item);
  }
}
