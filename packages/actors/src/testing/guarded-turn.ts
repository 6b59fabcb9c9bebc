import { Refusal } from '../errors.ts';
import type { TurnContext } from '../turn.ts';
import type { AnyActor } from '../types.ts';
import { copyValue } from '../value.ts';
import { deepFreeze } from './freeze.ts';
import { GuardedTable, tablesOf } from './guarded-table.ts';
import type { Picture } from './picture.ts';
import { pictureOf } from './picture.ts';

type Fields = Record<string, unknown>;

/** A turn that has ended, with all that it began from and all that it did. */
export interface SeenTurn {
  readonly definition: AnyActor;
  readonly key: string;
  readonly handler: string;
  readonly args: readonly unknown[];
  /** The actor's state before. */
  readonly before: Picture;
  /** What it was told of time and chance. */
  readonly now: number;
  readonly drawn: readonly number[];
  readonly done: TurnDone;
}

/** All that a turn does that anybody can see. Ids of questions are left out: they are never the same. */
export interface TurnDone {
  /** The answer; undefined where it threw. */
  readonly answer: unknown;
  readonly threw: { readonly code: string; readonly message: string } | null;
  readonly state: unknown;
  readonly sends: readonly unknown[];
  readonly questions: readonly unknown[];
  readonly timers: unknown;
  readonly forgets: boolean;
}

/** Who wants to know of turns. */
export interface TurnWitness {
  /** Called only where pictures are wanted: they cost. */
  readonly record: ((turn: SeenTurn) => void) | null;
  /** A turn begins. */
  readonly begins: (definition: AnyActor, key: string, handler: string) => void;
}

/** What the first state of an actor was before its copy was made. */
const firsts = new WeakMap<object, Fields>();

/** The first state of an actor, as a copy: what `state()` made is handed to the first turn, and is frozen after it. */
export function firstState(definition: AnyActor, key: string): object {
  const first = definition.state(key) as Fields;
  const held = copyFields(first, definition.name, key);
  for (const [name, table] of tablesOf(first)) held[name] = table;
  firsts.set(held, first);
  return held;
}

/**
 * Runs a handler on a copy of its actor's state. What the turn got, state and arguments, is frozen when it ends: whoever
 * has kept a part of it outside of the actor and changes it later gets a TypeError. If the handler throws anything but a
 * Refusal, the state stays as it was.
 */
export function runGuarded(
  definition: AnyActor,
  handler: string,
  ctx: TurnContext,
  args: readonly unknown[],
  witness: TurnWitness,
): unknown {
  const { key } = ctx;
  const held = ctx.state as Fields;
  witness.begins(definition, key, handler);
  const wanted = witness.record === null ? null : { before: pictureOf(held), args: copyValue(args, 'arguments') };
  const given = handOut(held, definition.name, key);
  const drawn: number[] = [];
  const view = viewOf(ctx, given, (drawnNow) => drawn.push(drawnNow));
  const now = ctx.now();
  const settle = (): void => {
    keep(given, held, definition.name, key);
    deepFreeze(given);
    for (const arg of args) deepFreeze(arg);
  };
  const see = (answer: unknown, threw: unknown): void => {
    if (wanted === null) return;
    const done = doneBy(ctx, held, answer, threw);
    witness.record?.({ definition, key, handler, ...wanted, now, drawn, done });
  };
  try {
    const answer: unknown = definition.on[handler].call(definition.on, view, ...args);
    settle();
    see(answer, undefined);
    return answer;
  } catch (error) {
    // It says that it has changed nothing. Whether that is so, a careful test finds out.
    if (error instanceof Refusal) settle();
    see(undefined, error);
    throw error;
  }
}

/** What a turn did, as values of their own. */
export function doneBy(ctx: TurnContext, state: object, answer: unknown, threw: unknown): TurnDone {
  const { sends, calls, timers, forgotten = false } = ctx.effects ?? {};
  const ids = [...(calls?.keys() ?? [])];
  const numberOf = (call: string): number => ids.indexOf(call);
  return {
    answer: ownCopy(answer),
    threw: threw === undefined ? null : nameOf(threw),
    // Whoever throws leaves nothing behind, and a Refusal says that it has changed nothing.
    state: threw === undefined || threw instanceof Refusal ? pictureOf(state).decoded() : null,
    sends: (sends ?? []).map(({ type, key, handler, args, reply }) => {
      const question = reply !== null && 'call' in reply ? numberOf(reply.call) : null;
      return { type, key, handler, args: ownCopy(args), question };
    }),
    questions: [...(calls?.values() ?? [])].map(({ to, service, handler, into, bound, timeoutMs }) => {
      return { to: service ?? to, handler, into, bound: ownCopy(bound), timeoutMs };
    }),
    timers: Object.fromEntries([...(timers ?? [])].map(([id, timer]) => [id, ownCopy(timer)])),
    forgets: forgotten,
  };
}

/** An answer that cannot cross a border is refused elsewhere. */
function ownCopy(value: unknown): unknown {
  try {
    return copyValue(value, 'value');
  } catch {
    return 'no plain data';
  }
}

function nameOf(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  return { code: 'code' in error ? String(error.code) : error.name, message: error.message };
}

function handOut(held: Fields, type: string, key: string): Fields {
  const first = firsts.get(held);
  firsts.delete(held);
  const given = first ?? copyFields(held, type, key);
  // Where one object is the state of two actors it is frozen by now, and the turn that changes it finds out.
  if (Object.isFrozen(given)) return given;
  for (const [name, table] of tablesOf(held)) given[name] = new GuardedTable(`${type}/${key} ${name}`, table);
  return given;
}

/** Copies what the turn has made of its state back into the actor. */
function keep(given: Fields, held: Fields, type: string, key: string): void {
  const tables = new Set(tablesOf(held).map(([name]) => name));
  for (const name of Object.keys(held)) if (!(name in given)) delete held[name];
  for (const [name, value] of Object.entries(given)) {
    if (!tables.has(name)) held[name] = copyField(value, type, key, name);
  }
}

function copyFields(state: Fields, type: string, key: string): Fields {
  const tables = new Set(tablesOf(state).map(([name]) => name));
  const plain = Object.entries(state).filter(([name]) => !tables.has(name));
  return Object.fromEntries(plain.map(([name, value]) => [name, copyField(value, type, key, name)]));
}

function copyField(value: unknown, type: string, key: string, name: string): unknown {
  return copyValue(value, () => `state of ${type}/${key}.${name}`);
}

/** The context with another state. Its methods are its own: they use private fields. */
function viewOf(ctx: TurnContext, state: object, drawn: (value: number) => void): TurnContext {
  return new Proxy(ctx, {
    get(target, name) {
      if (name === 'state') {
        // It says so when the turn is over.
        void target.state;
        return state;
      }
      if (name === 'random') {
        return () => {
          const value = target.random();
          drawn(value);
          return value;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
