import type {
  ActiveActor,
  FullMailbox,
  HungCall,
  MessageTotals,
  OpenAsks,
  OpenQuestion,
  OpenQuestions,
  ThreadView,
} from '@tidemark/actors';
import { Top } from '@tidemark/actors/internal';

/** A thread that was looked at. */
export interface SeenThread extends ThreadView {
  /** 0 is the host, the thread of the app; workers are 1 … n. */
  readonly thread: number;
  readonly answered: true;
}

/** A worker that has not answered in time: it is in a long turn, it starts, or it is gone. */
export interface SilentThread {
  readonly thread: number;
  readonly answered: false;
}

/** A system as it was when it was looked at; each thread at an instant of its own. */
export interface SystemView {
  /** Number of what runs now; 1 is the first in a process, and each rollback begins another. Counts are of it alone. */
  readonly generation: number;
  /** `going-back`: the system goes back to its newest checkpoint, and no thread is asked. */
  readonly state: 'running' | 'going-back';
  readonly threads: readonly (SeenThread | SilentThread)[];
  /** Of all threads that have answered. */
  readonly messages: MessageTotals;
  /** The ten mailboxes with the most messages, the fullest first. */
  readonly fullest: readonly PlacedOn<FullMailbox>[];
  /** The ten actors with the most turns since the last look, the most active first. */
  readonly busiest: readonly PlacedOn<ActiveActor>[];
  /** What actors have asked with `ctx.call` and is not answered yet. */
  readonly questions: OpenQuestions;
  /** Calls of services that were aborted and still run: how many, and the ten that were aborted longest ago, the oldest first. */
  readonly hung: { readonly open: number; readonly oldest: readonly PlacedOn<HungCall>[] };
  /** What the app has asked and is not answered yet. */
  readonly asks: OpenAsks;
}

/** With the thread that it was seen on. */
export type PlacedOn<T> = T & { readonly thread: number };

export interface InspectOptions {
  /** Milliseconds to wait for a worker, which answers between two turns; 1,000 when not given. */
  readonly timeoutMs?: number;
}

/** Entries of each list. */
const TOP = 10;

export type Seen = readonly (SeenThread | SilentThread)[];

export function systemView(generation: number, state: SystemView['state'], threads: Seen, asks: OpenAsks): SystemView {
  const seen = threads.filter((each) => each.answered);
  const total = (count: (of: MessageTotals) => number): number => sum(seen, ({ messages }) => count(messages));
  return {
    generation,
    state,
    threads,
    messages: {
      sent: total(({ sent }) => sent),
      restored: total(({ restored }) => restored),
      handled: total(({ handled }) => handled),
      waiting: total(({ waiting }) => waiting),
      dead: total(({ dead }) => dead),
      dropped: total(({ dropped }) => dropped),
    },
    fullest: top(seen.flatMap(placed((each) => each.fullest)), ({ messages }) => messages),
    busiest: top(seen.flatMap(placed((each) => each.busiest)), ({ turns }) => turns),
    questions: {
      open: sum(seen, ({ questions }) => questions.open),
      oldest: top<OpenQuestion>(
        seen.flatMap(({ questions }) => questions.oldest),
        ({ ageMs }) => ageMs,
      ),
    },
    hung: {
      open: sum(seen, ({ hung }) => hung.open),
      oldest: top(seen.flatMap(placed(({ hung }) => hung.oldest)), ({ abortedMs }) => abortedMs),
    },
    asks,
  };
}

function sum(threads: readonly SeenThread[], count: (of: SeenThread) => number): number {
  return threads.reduce((total, each) => total + count(each), 0);
}

function placed<T>(listOf: (thread: SeenThread) => readonly T[]): (thread: SeenThread) => readonly PlacedOn<T>[] {
  return (each) => listOf(each).map((one) => ({ ...one, thread: each.thread }));
}

function top<T>(all: readonly T[], amount: (of: T) => number): readonly T[] {
  const kept = new Top<T>(TOP);
  for (const each of all) kept.offer(amount(each), () => each);
  return kept.items;
}
