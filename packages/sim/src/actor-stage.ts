import { Border } from '@tidemark/actors/internal';
import { startEngine } from '@tidemark/checkpoint/internal';
import type { ActorProgram } from './programs/program.ts';
import type { Cut, ProcessSeat, Running, Stage } from './stage.ts';

/** Actors and a host that sends to them, without end. */
export class ActorStage implements Stage {
  readonly finished = null;
  open: readonly number[] = [];
  readonly #program: ActorProgram;

  constructor(program: ActorProgram) {
    this.#program = program;
  }

  get throws(): boolean {
    return this.#program.throws === true;
  }

  async launch(seat: ProcessSeat): Promise<Running> {
    const { host, world, config } = seat;
    const border = new Border(host.clock);
    const engine = await startEngine(
      {
        ...seat.engineOptions,
        modules: [],
        timezone: undefined,
        inline: false,
        fresh: false,
        from: null,
        acceptDuplicates: false,
        border,
        extension: null,
      },
      seat.environment(null),
    );
    engine.go();
    this.#program.start({
      engine,
      border,
      clock: host.clock,
      chance: world.chance,
      term: seat.term ?? 0,
      tickMs: () => Math.max(config.tickMs, world.lookMs * 8),
      heavy: config.heavy,
      bulk: config.bulk,
      rollbacks: () => seat.rollbacks,
      acknowledged: (ticks, position) => seat.acknowledged(ticks, position),
      happened: (what) => seat.happened(what),
      violation: (what) => seat.violation(what),
    });
    return {
      done: engine.done,
      get over() {
        return engine.over;
      },
      stop: () => engine.stop(true),
      end() {
        border.close(new Error('the system has ended'));
        return engine.stop(false).catch(() => undefined);
      },
    };
  }

  check({ parts }: Cut): void {
    this.#program.check(parts);
    this.open = this.#program.open?.(parts) ?? [];
  }

  ticksIn(parts: Cut['parts']): ReadonlyMap<number, number> {
    return this.#program.ticksIn(parts);
  }

  powerCut(): void {
    // Nothing of it lies outside of the store.
  }

  checkEnd(): void {
    // It never ends.
  }
}
