import { ActorError } from './errors.ts';
import type { Actor, ActorOptions, AnyActor, AnyService, Handler } from './types.ts';

const NAME = /^[A-Za-z][A-Za-z0-9._:-]{0,127}$/;

/**
 * Defines a kind of actor. The name is its only identity, on the wire and in a checkpoint.
 *
 * A handler runs to its end (it is not `async`) and is atomic towards others: what it sends leaves when it returns.
 *
 * @throws ActorError `DEFINITION_INVALID` for a bad name, version or step of a migration, `DEFINITION_CLASH` for a name that is taken
 * @example
 * export const Counter = actor('counter', {
 *   state: () => ({ n: 0 }),
 *   on: {
 *     add(ctx, by: number) { ctx.state.n += by; },
 *     get: (ctx) => ctx.state.n,
 *   },
 * });
 */
export function actor<S extends object, H extends Record<string, Handler<S>>>(
  name: string,
  options: ActorOptions<S, H>,
): Actor<S, H> {
  assertName('actor', name, Object.keys(options.on));
  const version = options.version ?? 1;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new ActorError('DEFINITION_INVALID', `actor '${name}': version ${version}; expected a whole number from 1`);
  }
  const max = options.mailbox?.max;
  if (max !== undefined && (!Number.isSafeInteger(max) || max < 1)) {
    throw new ActorError('DEFINITION_INVALID', `actor '${name}': mailbox.max ${max}; expected a whole number from 1`);
  }
  const { overflow = 'refuse' } = options.mailbox ?? {};
  if (!OVERFLOWS.includes(overflow)) {
    throw new ActorError(
      'DEFINITION_INVALID',
      `actor '${name}': mailbox.overflow '${overflow}'; expected ${OVERFLOWS.join(', ')}`,
    );
  }
  const { migrate = {}, migrateMessage = {} } = options;
  assertSteps(name, version, migrate, migrateMessage);
  const definition: Actor<S, H> = {
    kind: 'actor',
    name,
    version,
    state: options.state,
    on: options.on,
    onThrow: options.onThrow ?? 'rollback',
    place: options.place ?? 'worker',
    mailbox: options.mailbox ?? null,
    migrate,
    migrateMessage,
  };
  register(definition);
  return definition;
}

/** Names that the runtime has for itself begin so: types of its messages, and handlers and tables of its own. */
const OWN_TYPE = 'tidemark:';
export const OWN_NAME = '~';

/** @throws ActorError `DEFINITION_INVALID` */
export function assertName(kind: 'actor' | 'service', name: string, handlers: readonly string[]): void {
  if (!NAME.test(name) || name.startsWith(OWN_TYPE)) {
    throw new ActorError(
      'DEFINITION_INVALID',
      `${kind} name ${JSON.stringify(name)}: expected ${NAME.source}, not beginning with '${OWN_TYPE}'`,
    );
  }
  const taken = handlers.find((handler) => handler.startsWith(OWN_NAME));
  if (taken === undefined) return;
  throw new ActorError(
    'DEFINITION_INVALID',
    `${kind} '${name}': handler '${taken}' begins with '${OWN_NAME}'; give it another name`,
  );
}

const OVERFLOWS: readonly string[] = ['refuse', 'drop-newest', 'drop-oldest'];

/** A step that begins at no earlier version would never be taken: somebody has miscounted. */
function assertSteps(name: string, version: number, ...all: readonly object[]): void {
  for (const from of all.flatMap((steps) => Object.keys(steps))) {
    if (/^[1-9]\d*$/.test(from) && Number(from) < version) continue;
    const expected = version === 1 ? 'none, as its version is 1' : `a version from 1 to ${version - 1}`;
    throw new ActorError(
      'DEFINITION_INVALID',
      `actor '${name}' has version ${version} and migrates from '${from}'; expected ${expected}`,
    );
  }
}

/** All definitions that the modules of this thread have made, by name. One table even if this package is loaded twice. */
const KEY = Symbol.for('tidemark.definitions');
const root = globalThis as { [KEY]?: Map<string, AnyActor> };

export function definitions(): Map<string, AnyActor> {
  return (root[KEY] ??= new Map());
}

/** The same for services. */
const SERVICES = Symbol.for('tidemark.services');
const rootOfServices = globalThis as { [SERVICES]?: Map<string, AnyService> };

export function services(): Map<string, AnyService> {
  return (rootOfServices[SERVICES] ??= new Map());
}

function register(definition: AnyActor): void {
  const known = definitions().get(definition.name);
  // The same module evaluated twice (a test runner, a reload) defines the same names again: the newest holds.
  const clash = known !== undefined && Object.keys(known.on).join() !== Object.keys(definition.on).join();
  if (clash || services().has(definition.name)) {
    throw new ActorError(
      'DEFINITION_CLASH',
      `two definitions are named '${definition.name}'; the name is the only identity, so give one of them another`,
    );
  }
  definitions().set(definition.name, definition);
}

export function definitionOf(name: string): AnyActor {
  const definition = definitions().get(name);
  if (definition !== undefined) return definition;
  const names = [...definitions().keys()].sort().join(', ') || 'none';
  throw new ActorError(
    'DEFINITION_UNKNOWN',
    `no actor is named '${name}' here (defined: ${names}); pass the module that defines it in 'actors'`,
  );
}
