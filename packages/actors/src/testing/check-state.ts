import { inspect } from 'node:util';
import { definitions, services } from '../definition.ts';
import type { AnyActor } from '../types.ts';
import { Chance } from './chance.ts';
import type { Difference } from './difference.ts';
import { TestKitError } from './errors.ts';
import type { SeenTurn } from './guarded-turn.ts';
import { recordingInto } from './recording.adapter.ts';
import { replay } from './replay.ts';

export interface CheckStateOptions {
  /**
   * Imports the module of the actors anew, with another URL for each `n`: each turn is run by a fresh module, too, as in a
   * process that has just started.
   *
   * @example fresh: (n) => import(`./bank.ts?fresh=${n}`)
   */
  readonly fresh?: (n: number) => Promise<unknown>;
  /** Decides about the order in which turns are run again, 1 when not given. */
  readonly seed?: number;
}

/** What was checked, without a difference. */
export interface StateCheck {
  readonly turns: number;
  /** Of them, run by a module that was imported anew. */
  readonly fresh: number;
}

/** Turns that are run by a fresh module at most: each stays in memory. */
const FRESH_TURNS_MAX = 500;

/**
 * Finds state that an actor keeps outside of `ctx.state`, which a checkpoint does not hold: in a variable of its module, or in a
 * closure. Every turn that the test kit runs inside of `scenario` is run again, in an actor that is restored from a capture from just
 * before it, with the same arguments, time and chance, in an order that has nothing to do with the first. It must do the
 * same: answer, sends, questions, timers and state. So a capture and a restore between any two turns change nothing.
 *
 * A variable that only remembers what can be worked out again, as a memo does, makes no difference.
 *
 * @throws TestKitError `TEST_STATE_OUTSIDE` naming the first turn that does something else; `TEST_NOTHING_RAN`, `TEST_OPTIONS`; what
 * `scenario` throws
 * @example
 * await checkState(async () => {
 *   const system = testSystem({ seed: 3 });
 *   for (let i = 0; i < 20; i++) await system.ask(system.ref(Counter, `c${i % 3}`)).add(i);
 * });
 */
export async function checkState(scenario: () => unknown, options: CheckStateOptions = {}): Promise<StateCheck> {
  const { seed = 1, fresh } = options;
  const turns: SeenTurn[] = [];
  await recordingInto(
    (turn) => turns.push(turn),
    async () => scenario(),
  );
  if (turns.length === 0) {
    throw new TestKitError(
      'TEST_NOTHING_RAN',
      'no turn ran inside of checkState: make the test actor or system inside of its scenario',
    );
  }
  const chance = new Chance(seed);
  const found = new Map<number, Difference>();
  for (const index of shuffled(turns.length, chance)) {
    const difference = replay(turns[index], turns[index].definition);
    if (difference !== null) found.set(index, difference);
  }
  assertNone(turns, found, 'run again');
  const renewed = fresh === undefined ? 0 : await checkFresh(turns, fresh, chance);
  return { turns: turns.length, fresh: renewed };
}

async function checkFresh(
  turns: readonly SeenTurn[],
  fresh: (n: number) => Promise<unknown>,
  chance: Chance,
): Promise<number> {
  const found = new Map<number, Difference>();
  let renewed = 0;
  for (const [n, index] of shuffled(turns.length, chance).slice(0, FRESH_TURNS_MAX).entries()) {
    const turn = turns[index];
    const definition = await freshDefinition(turn.definition.name, () => fresh(n));
    if (definition === null) continue;
    renewed++;
    const difference = replay(turn, definition);
    if (difference !== null) found.set(index, difference);
  }
  if (renewed === 0) {
    throw new TestKitError(
      'TEST_OPTIONS',
      'fresh has defined none of the actors anew; import their module with another URL each time: (n) => import(`./bank.ts?fresh=${n}`)',
    );
  }
  assertNone(turns, found, 'run by a module that was imported anew');
  return renewed;
}

/** What a module that is imported now defines; null where it does not define that name. What was defined before stays. */
async function freshDefinition(name: string, load: () => Promise<unknown>): Promise<AnyActor | null> {
  const known = new Map(definitions());
  const knownServices = new Map(services());
  try {
    await load();
    const definition = definitions().get(name);
    return definition === undefined || definition === known.get(name) ? null : definition;
  } finally {
    putBack(definitions(), known);
    putBack(services(), knownServices);
  }
}

function putBack<K, V>(map: Map<K, V>, entries: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function shuffled(count: number, chance: Chance): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = chance.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function assertNone(turns: readonly SeenTurn[], found: ReadonlyMap<number, Difference>, again: string): void {
  if (found.size === 0) return;
  const first = Math.min(...found.keys());
  const { path, one, other } = found.get(first)!;
  const { definition, key, handler, args } = turns[first];
  const { name } = definition;
  throw new TestKitError(
    'TEST_STATE_OUTSIDE',
    `actor '${name}' handler '${handler}': state kept outside of ctx.state? Turn ${first + 1}, ${name}/${key} ${handler}(${args.map(show).join(', ')}): ${path.slice(1)} was ${show(one)}, and ${show(other)} when the turn was ${again} from the same state with the same arguments, time and chance. A variable of a module or a closure is in no checkpoint; a clock or chance of its own makes a difference, too: take ctx.now() and ctx.random()`,
  );
}

function show(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 200 });
}
