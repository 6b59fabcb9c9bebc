import { assertName, definitions, services } from './definition.ts';
import { ActorError } from './errors.ts';
import type { AnyService, CheckedService, Service, ServiceHandler, ServiceOptions } from './types.ts';

/**
 * Defines a service: functions without a state, which may be async. They run on the worker with the fewest open calls, so
 * this is also how an app uses all cores: `await system.ask(Images).resize(bytes)`.
 *
 * What a call does outside happens at least once: after a crash an actor's open call is made again, with the same `ctx.callId`.
 *
 * @throws ActorError `DEFINITION_INVALID` for a bad name or option, `DEFINITION_CLASH` for a name that is taken
 * @example
 * export const Pages = service('pages', {
 *   async load(ctx, url: string) { return (await fetch(url, { signal: ctx.signal })).text(); },
 * });
 */
export function service<H extends Record<string, ServiceHandler>>(
  name: string,
  on: H & CheckedService<H>,
  options: ServiceOptions = {},
): Service<H> {
  assertName('service', name, Object.keys(on));
  const { place = 'any', maxConcurrent = Number.POSITIVE_INFINITY } = options;
  if (maxConcurrent !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(maxConcurrent) || maxConcurrent < 1)) {
    throw new ActorError(
      'DEFINITION_INVALID',
      `service '${name}': maxConcurrent ${maxConcurrent}; expected a whole number from 1`,
    );
  }
  if (!PLACES.includes(place)) {
    throw new ActorError('DEFINITION_INVALID', `service '${name}': place '${place}'; expected ${PLACES.join(', ')}`);
  }
  const definition: Service<H> = { kind: 'service', name, on, place, maxConcurrent };
  const known = services().get(name);
  if (definitions().has(name) || (known !== undefined && !sameHandlers(known.on, on))) {
    throw new ActorError(
      'DEFINITION_CLASH',
      `two definitions are named '${name}'; the name is the only identity, so give one of them another`,
    );
  }
  services().set(name, definition);
  return definition;
}

const PLACES: readonly string[] = ['any', 'here', 'host'];

function sameHandlers(a: object, b: object): boolean {
  return Object.keys(a).join() === Object.keys(b).join();
}

/** @throws ActorError `DEFINITION_UNKNOWN` */
export function serviceOf(name: string): AnyService {
  const found = services().get(name);
  if (found !== undefined) return found;
  const names = [...services().keys()].sort().join(', ') || 'none';
  throw new ActorError(
    'DEFINITION_UNKNOWN',
    `no service is named '${name}' here (defined: ${names}); pass the module that defines it in 'actors'`,
  );
}

export { services } from './definition.ts';

/** Everything that the modules of this thread define, with its version: all threads must have the same. */
export function definedVersions(): Readonly<Record<string, number>> {
  const actors = [...definitions()].map(([name, { version }]): [string, number] => [name, version]);
  return Object.fromEntries([...actors, ...[...services().keys()].map((name): [string, number] => [name, 0])]);
}
