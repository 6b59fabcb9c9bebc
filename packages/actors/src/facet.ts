import { definitionOf } from './definition.ts';
import type { AnyActor, AnyService, Ref } from './types.ts';

/** Takes what a facet was asked to send: by a turn, or by the host. The list of arguments is its own. */
export type Send = (to: Ref<unknown>, handler: string, args: unknown[]) => unknown;

/** What its methods know is private, so that a handler may have any name. */
class Facet {
  readonly #to: Ref<unknown>;
  readonly #send: Send;

  constructor(to: Ref<unknown>, send: Send) {
    this.#to = to;
    this.#send = send;
  }

  static method(handler: string): (this: Facet, ...args: unknown[]) => unknown {
    return function (...args) {
      return this.#send(this.#to, handler, args);
    };
  }
}

/** The methods of a definition's messages, made once: real methods, no catch-all proxy. */
const facets = new Map<AnyActor | AnyService, typeof Facet>();

function facetOf(definition: AnyActor | AnyService): typeof Facet {
  let Messages = facets.get(definition);
  if (Messages === undefined) {
    Messages = class extends Facet {};
    for (const handler of Object.keys(definition.on)) {
      Object.defineProperty(Messages.prototype, handler, { value: Facet.method(handler) });
    }
    facets.set(definition, Messages);
  }
  return Messages;
}

/** An object with one method per handler of the actor that `to` names; each gives its message to `send`. */
export function messageFacet<T>(to: Ref<unknown>, send: Send): T {
  return new (facetOf(definitionOf(to.type)))(to, send) as T;
}

/** The same of a service. */
export function serviceFacet<T>(service: AnyService, send: Send): T {
  return new (facetOf(service))({ type: service.name, key: '' }, send) as T;
}
