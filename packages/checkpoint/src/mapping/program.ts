import type { AnyActor } from '@tidemark/actors';

/** What a program has that the state in a checkpoint may belong to. */
export interface ProgramParts {
  readonly definitions: ReadonlyMap<string, AnyActor>;
  /** Whether it has a task of that name. */
  readonly isTask: (name: string) => boolean;
}

/** What a person has said of state that the program does not claim by itself. */
export interface Mapping {
  /** Names of definitions whose state and messages are given up. */
  readonly drop: readonly string[];
  /** New names of definitions by their old ones. */
  readonly rename: Readonly<Record<string, string>>;
}

export const NO_MAPPING: Mapping = { drop: [], rename: {} };
