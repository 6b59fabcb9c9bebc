import { definitions } from '../definition.ts';
import type { TurnContext } from '../turn.ts';
import type { AnyActor, Handler } from '../types.ts';
import { firstState, runGuarded, type TurnWitness } from './guarded-turn.ts';

/**
 * Definitions of which the test kit sees every turn. They take the place of the real ones in this thread; where no test kit
 * runs a turn they do what the real ones do, and nothing else.
 */
const observedBy = new WeakMap<AnyActor, AnyActor>();
const realOf = new WeakMap<AnyActor, AnyActor>();

/** Whose turns run now. */
let witness: TurnWitness | null = null;

/** Runs turns in front of a witness. */
export function inFrontOf<T>(who: TurnWitness, run: () => T): T {
  const before = witness;
  witness = who;
  try {
    return run();
  } finally {
    witness = before;
  }
}

/** The definition as the program made it. */
export function realDefinition(definition: AnyActor): AnyActor {
  return realOf.get(definition) ?? definition;
}

/** Makes the test kit see the turns of a definition. */
export function observe(definition: AnyActor): void {
  const real = realDefinition(definition);
  let observed = observedBy.get(real);
  if (observed === undefined) {
    observed = makeObserved(real);
    observedBy.set(real, observed);
    realOf.set(observed, real);
  }
  definitions().set(real.name, observed);
}

/** The same for all that this thread knows. */
export function observeAll(): void {
  for (const definition of definitions().values()) observe(definition);
}

function makeObserved(real: AnyActor): AnyActor {
  const on: Record<string, Handler<unknown>> = {};
  for (const name of Object.keys(real.on)) {
    on[name] = (ctx, ...args: unknown[]): unknown =>
      witness === null
        ? real.on[name].call(real.on, ctx, ...args)
        : runGuarded(real, name, ctx as TurnContext, args, witness);
  }
  const state = (key: string): unknown => (witness === null ? real.state(key) : firstState(real, key));
  return { ...real, state, on };
}
