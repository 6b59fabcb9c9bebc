import { decodeValue, encodeValue } from '../codec.ts';
import { definitionOf } from '../definition.ts';
import { packMessages, unpackMessages } from '../frame.ts';
import { ANSWER, type Envelope, isReserved, type PackedFrame, type UnitData } from '../messages.ts';
import { isOwnTable } from '../own-tables.ts';
import type { Runtime } from '../runtime.ts';
import type { AnyActor } from '../types.ts';
import type { CaptureSink } from '../unit.ts';
import { deepFreeze } from './freeze.ts';
import { tablesOf } from './guarded-table.ts';
import type { Network } from './network.ts';
import { realDefinition } from './observed.ts';
import type { ArgsOf, HandlerName, StateOf } from './types.ts';

/** A system at one instant: all states, and all messages on their way between them. */
export class TestCut {
  /** Number of the cut. */
  readonly cut: number;
  readonly #units: readonly UnitData[];
  readonly #motion: readonly PackedFrame[];

  private constructor(cut: number, units: readonly UnitData[], motion: readonly PackedFrame[]) {
    this.cut = cut;
    this.#units = units;
    this.#motion = motion;
  }

  /** Cuts all threads at this instant, by the means by which a checkpoint does. */
  static take(cut: number, runtimes: readonly Runtime[], network: Network): TestCut {
    const units: UnitData[] = [];
    const mail: PackedFrame[] = [];
    const outboxes: PackedFrame[] = [];
    const sink: CaptureSink = {
      unit: (type, key, table, tableKey, value) =>
        void units.push({ type, key, table, tableKey, value: encodeValue(value) }),
      // All of it is taken at once, so nothing can be gone, and jobs alone have what passes.
      gone: () => undefined,
      passing: () => undefined,
      mail: (envelope) => void mail.push(...packMessages([envelope])),
      batch: () => undefined,
      settle: () => undefined,
    };
    for (const { cut: state, channels } of runtimes) {
      state.begin(cut, 0, sink);
      for (const channel of channels) channel.flip(cut, 0, (frame) => outboxes.push(ownCopy(frame)));
    }
    network.removeMarkers();
    for (const runtime of runtimes) {
      for (const _ of runtime.captureUnits());
      for (const _ of runtime.captureMotion());
      for (const channel of runtime.channels) channel.abandon();
      runtime.cut.end();
    }
    return new TestCut(cut, units, [...mail, ...onChannels(runtimes, network), ...outboxes]);
  }

  /** Gives all of it to threads of any number; `term` is that of the asks whose answers are still waited for. */
  load(runtimes: readonly Runtime[], term: number | null): void {
    const [host] = runtimes;
    for (const unit of this.#units) runtimes[host.homeOf(unit.type, unit.key)].loadUnit(unit);
    for (const envelope of this.#envelopes()) {
      // Whoever asked a service asks it again; answers to asks of a process that is no more have nobody to go to.
      if (isReserved(envelope.type) && !isAnswerIn(envelope, term)) continue;
      const home = envelope.type === ANSWER ? 0 : host.homeOf(envelope.type, envelope.key);
      for (const frame of packMessages([envelope])) runtimes[home].loadFrame(frame);
    }
  }

  /**
   * All actors of a definition, by key, as read-only copies with a map for each table.
   *
   * @example
   * for (const { balance } of system.cut().states(Account).values()) sum += balance;
   */
  states<D extends AnyActor>(definition: D): ReadonlyMap<string, StateOf<D>> {
    const states = new Map<string, Record<string, unknown>>();
    const units = this.#units.filter(({ type, table }) => type === definition.name && !isOwnTable(table));
    for (const { key, table, value } of units) {
      if (table === '') states.set(key, { ...emptyTables(definition, key), ...(decodeValue(value) as object) });
    }
    for (const { key, table, tableKey, value } of units) {
      if (table !== '')
        (states.get(key)?.[table] as Map<unknown, unknown> | undefined)?.set(tableKey, decodeValue(value));
    }
    return deepFreeze(states) as ReadonlyMap<string, object> as ReadonlyMap<string, StateOf<D>>;
  }

  /**
   * Arguments of all messages to a handler that were sent and not yet received, in an order that keeps that of any sender to any
   * receiver.
   */
  messages<D extends AnyActor, K extends HandlerName<D>>(definition: D, handler: K): readonly ArgsOf<D, K>[] {
    const found = [...this.#envelopes()].filter((each) => each.type === definition.name && each.handler === handler);
    return deepFreeze(found.map(({ args }) => args as ArgsOf<D, K>));
  }

  *#envelopes(): Generator<Envelope, void, void> {
    for (const frame of this.#motion) yield* unpackMessages(frame);
  }
}

/** The bytes go away with the frame when it is posted. */
function ownCopy(frame: PackedFrame): PackedFrame {
  return { ...frame, body: new Uint8Array(frame.body) };
}

/** What has arrived and is not taken, and behind it what lies on the way. */
function onChannels(runtimes: readonly Runtime[], network: Network): PackedFrame[] {
  return runtimes.flatMap((runtime, to) => {
    const lying = runtimes.flatMap((_, from) => (from === to ? [] : network.lying(from, to)));
    return [...runtime.arrivedFrames.map(({ frame }) => frame), ...lying.filter((item) => item.kind === 'frame')];
  });
}

function isAnswerIn({ type, reply }: Envelope, term: number | null): boolean {
  return type === ANSWER && reply !== null && 'ask' in reply && reply.term === term;
}

function emptyTables(definition: AnyActor, key: string): Record<string, Map<unknown, unknown>> {
  const first = realDefinition(definitionOf(definition.name)).state(key) as object;
  return Object.fromEntries(tablesOf(first).map(([name]) => [name, new Map()]));
}
