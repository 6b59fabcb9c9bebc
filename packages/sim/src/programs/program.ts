import type { Border, Clock } from '@tidemark/actors/internal';
import type { Engine, PartContent } from '@tidemark/checkpoint/internal';
import type { Chance } from '@tidemark/actors/testing/internal';

/** What the host's part of a program gets from its process. */
export interface ProgramHost {
  readonly engine: Engine;
  readonly border: Border;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly term: number;
  /** Virtual milliseconds between two ticks, on the average. */
  readonly tickMs: () => number;
  readonly heavy: boolean;
  readonly bulk: boolean;
  /** How often the process has gone back so far: what was told before may be undone. */
  readonly rollbacks: () => number;
  /** A checkpoint was asked for after so many ticks, and is published. */
  acknowledged(ticks: number, position: number): void;
  /** Something that should happen now and then has happened. */
  happened(what: string): void;
  /** Something that must never happen has happened. */
  violation(what: string): void;
}

/** A program of actors under test: what its host does, and what is true in every consistent cut. */
export interface ActorProgram {
  readonly kind: 'actors';
  readonly name: string;
  start(host: ProgramHost): void;
  /** Throws, saying what is wrong, unless this is a consistent cut. */
  check(parts: readonly PartContent[]): void;
  /** Its handlers throw now and then, on purpose: a process may go back because of that. */
  readonly throws?: boolean;
  /** Numbers of questions in the cut that must be answered some day; later ones have greater numbers. */
  readonly open?: (parts: readonly PartContent[]) => readonly number[];
  /** How many of each term's ticks the cut has. */
  ticksIn(parts: readonly PartContent[]): ReadonlyMap<number, number>;
}

/** A job under test, over an input that is drawn from the seed. */
export interface JobProgram {
  readonly kind: 'job';
  readonly name: string;
}

export type Program = ActorProgram | JobProgram;
