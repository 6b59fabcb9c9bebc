import { holdsMessages, unpackBatch, unpackMessages } from '@tidemark/actors/internal';
import type { PackedFrame } from '@tidemark/actors/internal';
import type { PartContent } from '../part.ts';

/** Units of one definition or task, and there of one table; table '' is the actors' own state. */
export interface UnitGroup {
  readonly type: string;
  readonly table: string;
  units: number;
  /** Of the packed values. */
  bytes: number;
}

/** Where a message was at the cut: in its receiver's mailbox, in a channel, or not yet posted. */
export type Whereabouts = 'mailbox' | 'channel' | 'outbox';

/** Messages of one kind that were in motion: of a handler of a definition, or rows for a task (`handler` null). */
export interface MotionGroup {
  readonly type: string;
  readonly handler: string | null;
  readonly at: Record<Whereabouts, number>;
  messages: number;
}

/** One receiver and what was on its way to it. */
export interface Receiver {
  readonly type: string;
  readonly key: string;
  messages: number;
}

/** What a checkpoint holds, counted. */
export interface Census {
  readonly units: readonly UnitGroup[];
  readonly motion: readonly MotionGroup[];
  /** Those with most messages first. */
  readonly receivers: readonly Receiver[];
}

/** Counts units and decodes all that was in motion. */
export function census(contents: readonly PartContent[]): Census {
  const motion = new MotionCount();
  for (const content of contents) {
    motion.add(content.mail, 'mailbox');
    motion.add(content.channels, 'channel');
    motion.add(content.outboxes, 'outbox');
  }
  return { units: unitGroups(contents), ...motion.result() };
}

function unitGroups(contents: readonly PartContent[]): UnitGroup[] {
  const groups = new Map<string, UnitGroup>();
  for (const { type, table, value } of contents.flatMap((content) => content.units)) {
    const group = inMap(groups, `${type}/${table}`, () => ({ type, table, units: 0, bytes: 0 }));
    group.units++;
    group.bytes += value.length;
  }
  return [...groups.values()].sort((a, b) => compare(a.type, b.type) || compare(a.table, b.table));
}

class MotionCount {
  readonly #groups = new Map<string, MotionGroup>();
  readonly #receivers = new Map<string, Receiver>();

  add(frames: readonly PackedFrame[], where: Whereabouts): void {
    for (const frame of frames) {
      if (!holdsMessages(frame)) {
        const { task, values } = unpackBatch(frame);
        this.#count(task, null, where, values.length);
        continue;
      }
      for (const { type, key, handler } of unpackMessages(frame)) {
        this.#count(type, handler, where, 1);
        inMap(this.#receivers, `${type}/${key}`, () => ({ type, key, messages: 0 })).messages++;
      }
    }
  }

  result(): Pick<Census, 'motion' | 'receivers'> {
    const motion = [...this.#groups.values()].sort(
      (a, b) => compare(a.type, b.type) || compare(a.handler ?? '', b.handler ?? ''),
    );
    const receivers = [...this.#receivers.values()].sort(
      (a, b) => b.messages - a.messages || compare(a.type, b.type) || compare(a.key, b.key),
    );
    return { motion, receivers };
  }

  #count(type: string, handler: string | null, where: Whereabouts, messages: number): void {
    const none = (): MotionGroup => ({ type, handler, at: { mailbox: 0, channel: 0, outbox: 0 }, messages: 0 });
    const group = inMap(this.#groups, `${type} ${handler ?? ''}`, none);
    group.at[where] += messages;
    group.messages += messages;
  }
}

function inMap<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** By code units: the same on every machine. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
