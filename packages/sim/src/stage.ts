import type {
  CheckpointRecord,
  EngineEvent,
  EngineOptions,
  Environment,
  PartContent,
} from '@tidemark/checkpoint/internal';
import type { Install } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Config } from './config.ts';
import type { ProcessStep } from './coverage.ts';
import type { Disk } from './disk.ts';
import type { SimThread } from './thread.ts';
import type { World } from './world.ts';

/** A checkpoint with all that its record names, decoded. */
export interface Cut {
  readonly record: CheckpointRecord;
  readonly parts: readonly PartContent[];
}

/** A program that runs in a process. */
export interface Running {
  /** It has ended already, or is about to. */
  readonly over: boolean;
  /** Resolves when it has ended by itself or by `stop`; rejects when it failed. */
  readonly done: Promise<void>;
  /** An orderly end. */
  stop(): Promise<void>;
  /** Gives back what it holds. */
  end(): Promise<void>;
}

/** What a program gets of the process that runs it. */
export interface ProcessSeat {
  readonly name: string;
  readonly world: World;
  readonly config: Config;
  readonly host: SimThread;
  readonly workers: number;
  readonly term: number | null;
  /** How often the process has gone back. */
  readonly rollbacks: number;
  /** Of the engine, as every program has them; `observe` tells the process. */
  readonly engineOptions: Pick<
    EngineOptions,
    'location' | 'job' | 'workers' | 'schedule' | 'keep' | 'compression' | 'captureBytesMax' | 'command' | 'observe'
  >;
  /** @param install makes what a worker adds, of its thread */
  environment(install: ((worker: SimThread) => Install) | null): Environment;
  /** A store on another disk than that of the checkpoints; its answers come to the thread. */
  storeOn(disk: Disk, thread: SimThread): Store;
  enter(step: ProcessStep): void;
  observe(event: EngineEvent): void;
  acknowledged(ticks: number, position: number): void;
  happened(what: string): void;
  violation(what: string): void;
}

/** What one seed runs: a program with all that it has outside of its processes. */
export interface Stage {
  launch(seat: ProcessSeat): Promise<Running>;
  /** Throws, saying what is wrong, unless this is a consistent cut. */
  check(cut: Cut): void;
  /**
   * What has come in, as numbers that the next checkpoint must have, too: by the term that sent it, of which only the
   * present one may have more; or by a negative number, which any term may raise.
   */
  ticksIn(parts: readonly PartContent[]): ReadonlyMap<number, number>;
  /** Handlers of the program throw on purpose. */
  readonly throws: boolean;
  /** What the newest cut has left open, as numbers that rise. */
  readonly open: readonly number[];
  /** The machine lost its power. */
  powerCut(): void;
  /** Whether a program that ends by itself has come to its end; null for one that never does. */
  readonly finished: boolean | null;
  /** Nothing runs any more: throws unless all is there that must be. */
  checkEnd(): void;
}
