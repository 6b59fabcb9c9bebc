import type { Actor, AnyActor, Table } from '@tidemark/actors';
import { UnitTable } from '@tidemark/actors/internal';
import type { PartContent } from '@tidemark/checkpoint/internal';
import { messagesTo, unitsOf } from './programs/contents.ts';

/** State of one actor as a checkpoint holds it: its tables are maps. */
export type StateInCut<D> =
  D extends Actor<infer S, infer _>
    ? { readonly [K in keyof S]: S[K] extends Table<infer TableKey, infer V> ? ReadonlyMap<TableKey, V> : S[K] }
    : never;

/** Arguments of a handler's messages. */
export type MessageArgs<D, K> =
  D extends Actor<infer _, infer H>
    ? K extends keyof H
      ? H[K] extends (ctx: never, ...args: infer A) => unknown
        ? A
        : never
      : never
    : never;

/** Names of the handlers of a definition. */
export type HandlerName<D> = D extends Actor<infer _, infer H> ? keyof H & string : never;

/**
 * One published checkpoint: all states, and all messages on their way between them, at one consistent instant. Actors
 * that nobody has sent anything to are not there.
 */
export class CutView {
  readonly #parts: readonly PartContent[];

  constructor(parts: readonly PartContent[]) {
    this.#parts = parts;
  }

  /**
   * All actors of a definition, by key.
   *
   * @example
   * for (const [key, account] of cut.states(Account)) assert.ok(account.balance >= 0, key);
   */
  states<D extends AnyActor>(definition: D): ReadonlyMap<string, StateInCut<D>> {
    const units = unitsOf(this.#parts, definition.name);
    const states = new Map<string, Record<string, unknown>>();
    for (const { key, table, value } of units) {
      if (table === '') states.set(key, { ...emptyTables(definition, key), ...(value as object) });
    }
    for (const { key, table, tableKey, value } of units) {
      if (table !== '') (states.get(key)?.[table] as Map<unknown, unknown> | undefined)?.set(tableKey, value);
    }
    return states as ReadonlyMap<string, object> as ReadonlyMap<string, StateInCut<D>>;
  }

  /**
   * Messages that were sent and not yet received, to all actors of a definition: for each its arguments, in an order
   * that keeps that of any sender to any receiver.
   *
   * @example
   * const moving = cut.messages(Account, 'deposit').reduce((sum, [amount]) => sum + amount, 0);
   */
  messages<D extends AnyActor, K extends HandlerName<D>>(definition: D, handler: K): readonly MessageArgs<D, K>[] {
    return messagesTo(this.#parts, definition.name, handler).map(({ args }) => args as MessageArgs<D, K>);
  }
}

function emptyTables(definition: AnyActor, key: string): Record<string, Map<unknown, unknown>> {
  const first = Object.entries(definition.state(key) as object);
  return Object.fromEntries(first.filter(([, value]) => value instanceof UnitTable).map(([name]) => [name, new Map()]));
}
