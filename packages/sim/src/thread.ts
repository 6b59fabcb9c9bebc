import type { Clock } from '@tidemark/actors/internal';
import type { Lane, LaneOwner } from './lane.ts';
import type { World } from './world.ts';

/** Whose thread it is. */
export interface ThreadOwner extends LaneOwner {
  readonly name: string;
}

/** A simulated thread: the lanes on which its code runs, and its clock. Dead, nothing of it ever runs again. */
export class SimThread implements LaneOwner {
  readonly world: World;
  readonly process: ThreadOwner;
  readonly number: number;
  readonly clock: Clock;
  readonly #lanes: Lane[] = [];
  #alive = true;

  constructor(world: World, process: ThreadOwner, number: number) {
    this.world = world;
    this.process = process;
    this.number = number;
    const soon = this.lane('soon');
    const timers = this.lane('timers');
    this.clock = {
      now: () => world.wall,
      monotonic: () => world.look(),
      after: (delayMs, run) => world.after(timers, delayMs, run),
      soon: (run) => soon.push(run),
    };
  }

  get running(): boolean {
    return this.#alive && this.process.running;
  }

  get alive(): boolean {
    return this.#alive;
  }

  lane(label: string): Lane {
    const lane = this.world.lane(`${this.process.name}.${this.number} ${label}`, this);
    this.#lanes.push(lane);
    return lane;
  }

  kill(): void {
    this.#alive = false;
    for (const lane of this.#lanes) lane.kill();
  }

  /** Its process was paused, or goes on. */
  refresh(): void {
    for (const lane of this.#lanes) lane.refresh();
  }
}
