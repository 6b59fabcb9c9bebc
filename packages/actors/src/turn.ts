import type { Cell } from './cell.ts';
import { definitionOf } from './definition.ts';
import { ActorError } from './errors.ts';
import { tooLarge } from './frame.ts';
import { MESSAGE_BYTES_MAX } from './limits.ts';
import type { Envelope } from './messages.ts';
import type { AnyActor, Ctx, Ref, Tells } from './types.ts';
import { copyValue, copiedBytes } from './value.ts';

/** Copies the arguments of a message at its send. */
export function makeEnvelope(to: Ref<unknown>, handler: string, args: readonly unknown[]): Envelope {
  const before = copiedBytes();
  const envelope = { type: to.type, key: to.key, handler, args: copyArgs(to, handler, args), reply: null };
  const bytes = copiedBytes() - before;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(envelope, bytes);
  return envelope;
}

function copyArgs(to: Ref<unknown>, handler: string, args: readonly unknown[]): readonly unknown[] {
  const copied = new Array<unknown>(args.length);
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    copied[i] = typeof value === 'number' ? value : copyValue(value, `${to.type}.${handler} argument ${i + 1}`);
  }
  return copied;
}

/** The methods of a definition's messages, made once: real methods, no catch-all proxy. */
const facets = new Map<AnyActor, new (to: Ref<unknown>, send: (envelope: Envelope) => unknown) => object>();

/** An object with one method per handler of the actor that `to` names; each makes a message and gives it to `send`. */
export function messageFacet<T>(to: Ref<unknown>, send: (envelope: Envelope) => unknown): T {
  const definition = definitionOf(to.type);
  let Facet = facets.get(definition);
  if (Facet === undefined) {
    Facet = class {
      readonly to: Ref<unknown>;
      readonly send: (envelope: Envelope) => unknown;
      constructor(target: Ref<unknown>, sendTo: (envelope: Envelope) => unknown) {
        this.to = target;
        this.send = sendTo;
      }
    };
    for (const handler of Object.keys(definition.on)) {
      Object.defineProperty(Facet.prototype, handler, {
        value(this: { to: Ref<unknown>; send: (envelope: Envelope) => unknown }, ...args: unknown[]) {
          return this.send(makeEnvelope(this.to, handler, args));
        },
      });
    }
    facets.set(definition, Facet);
  }
  return new Facet(to, send) as T;
}

/** The context of one turn. What is sent through it leaves only when the turn ends well. */
// oxlint-disable-next-line no-explicit-any -- the handler was checked against its state's type at the definition
export class TurnContext implements Ctx<any> {
  readonly key: string;
  readonly #cell: Cell;
  readonly #write: (text: string) => void;
  readonly sends: Envelope[] = [];
  forgotten = false;
  #over = false;
  readonly #collect = (envelope: Envelope): void => {
    this.#check();
    this.sends.push(envelope);
  };

  constructor(cell: Cell, write: (text: string) => void) {
    this.#cell = cell;
    this.key = cell.key;
    this.#write = write;
  }

  // oxlint-disable-next-line no-explicit-any -- the handler was checked against its state's type at the definition
  get state(): any {
    this.#check();
    return this.#cell.state;
  }

  get self(): Ref<never> {
    return { type: this.#cell.definition.name, key: this.key };
  }

  log = (text: string): void => this.#write(`${this.#cell.definition.name}/${this.key}: ${text}`);

  ref<D extends AnyActor>(definition: D, key: string): Ref<D> {
    return { type: definition.name, key };
  }

  tell<D>(to: Ref<D>): Tells<D> {
    this.#check();
    return messageFacet(to, this.#collect);
  }

  forget(): void {
    this.#check();
    this.forgotten = true;
  }

  end(): void {
    this.#over = true;
  }

  #check(): void {
    if (!this.#over) return;
    throw new ActorError(
      'CTX_EXPIRED',
      `a ctx of ${this.#cell.definition.name}/${this.key} was used after its turn had ended; send what you need later as a message`,
    );
  }
}
