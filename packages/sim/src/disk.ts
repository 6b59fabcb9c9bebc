import type { World } from './world.ts';

/** Hears of every change, at the instant at which it takes effect. */
export interface DiskWatcher {
  stored(name: string, bytes: Uint8Array, by: string): void;
  deleted(name: string, by: string): void;
  /** A power cut has undone a change that nobody was told of. */
  lost(name: string, bytes: Uint8Array): void;
}

interface Volatile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Deleted objects that a power cut may bring back. */
const DELETED_KEPT = 16;

/**
 * What the store holds, apart from any process.
 *
 * Owns: the objects, and which of them a power cut may still take.
 *
 * - V6 A change is one step. It is *volatile* from its effect until the store has answered for it, or for a later
 *   change in the same folder; a power cut undoes the newest volatile changes of a folder, in their order.
 * - V7 What was deleted may be back after a power cut.
 * - V9 Damage changes bytes in their place; `truth` remembers what they were.
 */
export class Disk {
  readonly #world: World;
  readonly #watcher: DiskWatcher;
  readonly #objects = new Map<string, Uint8Array>();
  readonly #volatile = new Map<string, Volatile[]>();
  #deleted: Volatile[] = [];
  /** What damaged objects were before. */
  readonly #whole = new Map<string, Uint8Array>();
  readonly #repairedAt = new Map<string, number>();
  /** Raised by each power cut: what was under way before it never happens. */
  boot = 0;

  readonly #syncs: boolean;

  constructor(world: World, watcher: DiskWatcher, syncs = true) {
    this.#syncs = syncs;
    this.#world = world;
    this.#watcher = watcher;
  }

  get(name: string): Uint8Array | undefined {
    return this.#objects.get(name);
  }

  /** What was stored, whatever has become of it. */
  truth(name: string): Uint8Array | undefined {
    return this.#whole.get(name) ?? this.#objects.get(name);
  }

  /** Whether an object is damaged, or was at any time since then. */
  wasDamaged(name: string, since: number): boolean {
    return this.#whole.has(name) || (this.#repairedAt.get(name) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  /** Damaged objects. */
  get damaged(): number {
    return this.#whole.size;
  }

  has(name: string): boolean {
    return this.#objects.has(name);
  }

  /** Names that came last, oldest first. */
  newest(pattern: RegExp, count: number): readonly string[] {
    return [...this.#objects.keys()].filter((name) => pattern.test(name)).slice(-count);
  }

  /** Names in ascending order. */
  names(prefix: string): string[] {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  set(name: string, bytes: Uint8Array, by: string): void {
    if (!this.#objects.has(name)) {
      const folder = folderOf(name);
      const waiting = this.#volatile.get(folder) ?? [];
      waiting.push({ name, bytes });
      this.#volatile.set(folder, waiting);
    }
    this.#objects.set(name, bytes);
    this.#whole.delete(name);
    this.#watcher.stored(name, bytes, by);
  }

  delete(name: string, by: string): void {
    const bytes = this.truth(name);
    if (bytes === undefined) return;
    this.#deleted = [...this.#deleted.slice(1 - DELETED_KEPT), { name, bytes }];
    this.#objects.delete(name);
    this.#whole.delete(name);
    this.#watcher.deleted(name, by);
  }

  /** The store answers for a change: it and all before it in its folder are durable. */
  sync(name: string): void {
    if (!this.#syncs) return;
    const folder = folderOf(name);
    const waiting = this.#volatile.get(folder);
    if (waiting === undefined) return;
    const at = waiting.findIndex((each) => each.name === name);
    if (at >= 0) waiting.splice(0, at + 1);
  }

  /** Bytes of an object go wrong, where it lies; its watcher hears nothing. */
  damage(name: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const bytes = this.#objects.get(name);
    if (bytes === undefined) return;
    if (!this.#whole.has(name)) this.#whole.set(name, bytes);
    this.#objects.set(name, change(bytes));
  }

  /** Somebody puts back what was damaged, from a copy of their own. */
  repair(): void {
    for (const [name, bytes] of this.#whole) {
      this.#objects.set(name, bytes);
      this.#repairedAt.set(name, this.#world.now);
    }
    this.#whole.clear();
  }

  /** The machine lost its power. */
  cut(): void {
    this.boot++;
    const { chance } = this.#world;
    for (const waiting of this.#volatile.values()) {
      const kept = chance.below(waiting.length + 1);
      for (const { name, bytes } of waiting.slice(kept)) {
        if (!this.#objects.delete(name)) continue;
        this.#whole.delete(name);
        this.#world.note(`power cut takes ${name}`);
        this.#watcher.lost(name, bytes);
      }
    }
    this.#volatile.clear();
    for (const { name, bytes } of this.#deleted) {
      if (this.#objects.has(name) || !chance.isTrue(0.3)) continue;
      this.#world.note(`power cut brings back ${name}`);
      this.#objects.set(name, bytes);
    }
    this.#deleted = [];
  }
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}
