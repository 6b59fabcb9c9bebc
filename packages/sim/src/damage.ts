import type { Chance } from '@tidemark/actors/testing/internal';
import type { Disk } from './disk.ts';
import type { Damage } from './faults.ts';
import type { World } from './world.ts';

/** Names with what is restored, or with what tells which of it counts. */
const WORTH_IT = /\/(log|part|gc)\//;
/** Newest objects, among which one is damaged: those that a restore would read. */
const AMONG = 6;

/** Damages stored objects in their place, and knows who may have met what. */
export class Damager {
  readonly #world: World;
  readonly #disk: Disk;
  /** Newest time at which something was damaged. */
  #until = Number.NEGATIVE_INFINITY;

  constructor(world: World, disk: Disk) {
    this.#world = world;
    this.#disk = disk;
  }

  /** Answers what kind of object it was; null when there was none. */
  strike(kind: Damage): string | null {
    const { chance } = this.#world;
    const names = this.#disk.newest(WORTH_IT, AMONG);
    if (names.length === 0) return null;
    const name = chance.pick(names);
    this.#world.note(`${kind} of ${name}`);
    this.#disk.damage(name, (bytes) =>
      kind === 'truncation' ? bytes.slice(0, chance.below(bytes.length)) : flipped(bytes, chance),
    );
    return WORTH_IT.exec(name)![1];
  }

  /** Somebody puts back what they have a copy of. */
  repair(): void {
    if (this.#disk.damaged === 0) return;
    this.#world.note(`${this.#disk.damaged} damaged objects are put back`);
    this.#disk.repair();
    this.#until = this.#world.now;
  }

  /** Whether something was damaged at any time since then. */
  since(time: number): boolean {
    return this.#disk.damaged > 0 || this.#until >= time;
  }
}

function flipped(bytes: Uint8Array, chance: Chance): Uint8Array {
  const changed = new Uint8Array(bytes);
  if (changed.length === 0) return changed;
  const bit = chance.below(changed.length * 8);
  changed[bit >> 3] ^= 1 << (bit & 7);
  return changed;
}
