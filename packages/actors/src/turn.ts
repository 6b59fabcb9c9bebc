import type { Cell } from './cell.ts';
import { encodeValueInPlace } from './codec.ts';
import { definitionOf } from './definition.ts';
import { ActorError } from './errors.ts';
import { tooLarge } from './frame.ts';
import { MESSAGE_BYTES_MAX } from './limits.ts';
import type { Envelope } from './messages.ts';
import type { AnyActor, Ctx, Ref, Tells } from './types.ts';
import { assertKey, copyValue, copiedBytes } from './value.ts';

/** Numbers, lengths and references take up to nine bytes where the rough count takes one. */
const ROUGH_FACTOR = 9;

/** Copies the arguments of a message at its send. */
export function makeEnvelope(to: Ref<unknown>, handler: string, args: readonly unknown[]): Envelope {
  assertKey(to.key, () => `key of a message to '${to.type}'`);
  const before = copiedBytes();
  const envelope = { type: to.type, key: to.key, handler, args: copyArgs(to, handler, args), reply: null };
  assertSize(envelope, copiedBytes() - before);
  return envelope;
}

/** Copies what a handler returns for whoever asked: later turns may change the state that it is a part of. */
export function copyAnswer(of: Envelope, value: unknown): unknown {
  const before = copiedBytes();
  const copied = copyValue(value, () => `answer of ${of.type}.${of.handler}`);
  assertSize({ ...of, args: [copied] }, copiedBytes() - before);
  return copied;
}

/** Large ones are measured as they will travel; for the others the rough count says enough. */
function assertSize(envelope: Envelope, roughly: number): void {
  if (roughly * ROUGH_FACTOR <= MESSAGE_BYTES_MAX) return;
  const bytes = encodeValueInPlace(envelope.args).length;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(envelope, bytes);
}

function copyArgs(to: Ref<unknown>, handler: string, args: readonly unknown[]): readonly unknown[] {
  const copied = new Array<unknown>(args.length);
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    copied[i] =
      typeof value === 'number' ? value + 0 : copyValue(value, () => `${to.type}.${handler} argument ${i + 1}`);
  }
  return copied;
}

/** Takes what a facet was asked to send: by a turn, or by the host. */
export type Send = (to: Ref<unknown>, handler: string, args: readonly unknown[]) => unknown;

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
const facets = new Map<AnyActor, typeof Facet>();

/** An object with one method per handler of the actor that `to` names; each gives its message to `send`. */
export function messageFacet<T>(to: Ref<unknown>, send: Send): T {
  const definition = definitionOf(to.type);
  let Messages = facets.get(definition);
  if (Messages === undefined) {
    Messages = class extends Facet {};
    for (const handler of Object.keys(definition.on)) {
      Object.defineProperty(Messages.prototype, handler, { value: Facet.method(handler) });
    }
    facets.set(definition, Messages);
  }
  return new Messages(to, send) as T;
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
  readonly #collect: Send = (to, handler, args) => {
    this.#check();
    this.sends.push(makeEnvelope(to, handler, args));
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
