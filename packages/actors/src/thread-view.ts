import type { ActorTable } from './actor-table.ts';
import { type ActiveActor, TOP } from './activity.ts';
import type { Clock } from './clock.ts';
import type { ActorAddress } from './errors.ts';
import type { OpenHungCalls } from './hung-calls.ts';
import type { Links } from './links.ts';
import type { LookAtResources, ThreadResources } from './resources.adapter.ts';
import type { ServiceDesk } from './service-desk.ts';
import { Top } from './top.ts';

/**
 * Messages to actors since the generation began, as one thread has counted them. Over all threads of a quiet system they
 * balance: sent + restored = handled + waiting + dead + dropped. While messages are between two threads they are in none of these.
 */
export interface MessageTotals {
  /** By actors of this thread, by services that answer actors, and by the app where it is the host. */
  readonly sent: number;
  /** Put back from the checkpoint that the generation began with. */
  readonly restored: number;
  /** Taken by a handler, whatever came of it. */
  readonly handled: number;
  /** In mailboxes and outboxes, and arrived. What waits for another thread may also be an answer to the app, or a call of a service. */
  readonly waiting: number;
  /** Set aside: see `system.deadLetters`. */
  readonly dead: number;
  /** Answers to questions that are no more, and what a full mailbox did not take. */
  readonly dropped: number;
}

/** What waits in a queue; bytes are about. */
export interface QueueDepth {
  readonly messages: number;
  readonly bytes: number;
}

export interface FullMailbox extends ActorAddress {
  readonly messages: number;
}

/** A question of an actor that is not answered yet. */
export interface OpenQuestion {
  readonly from: ActorAddress;
  /** The actor that was asked, as `type/key`, or the service, by name; and its handler. */
  readonly what: string;
  readonly ageMs: number;
}

export interface OpenQuestions {
  readonly open: number;
  /** The ten that have waited longest, the oldest first. */
  readonly oldest: readonly OpenQuestion[];
}

/** What a thread shows of itself between two slices. */
export interface ThreadView {
  /** Null where there is no machine to look at. */
  readonly resources: ThreadResources | null;
  /** Live actors by definition. */
  readonly actors: Readonly<Record<string, number>>;
  /** Messages that wait for their actor. */
  readonly mailboxes: QueueDepth;
  /** For other threads, and not yet posted. */
  readonly outboxes: QueueDepth;
  /** From other threads, and not yet taken. */
  readonly arrived: QueueDepth;
  readonly messages: MessageTotals;
  /** The ten with the most messages, the fullest first. */
  readonly fullest: readonly FullMailbox[];
  /** The ten with the most turns since the last look, the most active first. */
  readonly busiest: readonly ActiveActor[];
  readonly questions: OpenQuestions;
  /** Calls of services that were aborted and still run in this thread. */
  readonly hung: OpenHungCalls;
}

/** What a runtime lets whoever looks at it see. */
export interface Inside {
  readonly clock: Clock;
  readonly actors: ActorTable;
  readonly services: ServiceDesk;
  readonly links: Links;
  readonly restored: number;
  /** About how many bytes a message has that waits. */
  readonly messageBytes: number;
}

/** Actors that are looked at without a pause: at a tenth of a microsecond each, about a slice. */
const ACTORS_PER_STEP = 8_192;

/** Everything but the fullest mailboxes and the questions is of one instant: these are looked for in steps, with turns in between. */
export async function viewThread(inside: Inside, look: LookAtResources | null): Promise<ThreadView> {
  const { actors, services, links, clock } = inside;
  const view = {
    resources: look?.() ?? null,
    actors: actors.live,
    mailboxes: { messages: actors.waiting, bytes: actors.waiting * inside.messageBytes },
    outboxes: links.outboxes,
    arrived: links.arrivedDepth,
    messages: totalsOf(inside),
    busiest: actors.turns.activity.take(),
    hung: services.hung,
  };
  const { withMail } = actors;
  const asking = [...actors.turns.asking];
  return { ...view, fullest: await fullestOf(withMail, clock), questions: await questionsOf(asking, clock) };
}

function totalsOf({ actors, links, restored }: Inside): MessageTotals {
  const waiting = actors.waiting + links.outboxes.messages + links.arrivedDepth.messages;
  return { ...actors.counts, restored, waiting };
}

type Cells = ActorTable['withMail'];

async function fullestOf(cells: Cells, clock: Clock): Promise<readonly FullMailbox[]> {
  const top = new Top<FullMailbox>(TOP);
  await inSteps(cells, clock, ({ definition, key, waiting: messages }) => {
    // Its messages may have been taken since the look began.
    if (messages > 0) top.offer(messages, () => ({ type: definition.name, key, messages }));
  });
  return top.items;
}

async function questionsOf(cells: Cells, clock: Clock): Promise<OpenQuestions> {
  const oldest = new Top<OpenQuestion>(TOP);
  const now = clock.now();
  let open = 0;
  await inSteps(cells, clock, (cell) => {
    for (const [, { to, service, handler, askedAt }] of cell.ownTableIfAny('~calls')?.entries() ?? []) {
      open++;
      oldest.offer(now - askedAt, () => ({
        from: { type: cell.definition.name, key: cell.key },
        what: `${service ?? `${to?.type}/${to?.key}`} ${handler}`,
        ageMs: now - askedAt,
      }));
    }
  });
  return { open, oldest: oldest.items };
}

async function inSteps(cells: Cells, clock: Clock, each: (cell: Cells[number]) => void): Promise<void> {
  for (let from = 0; from < cells.length; from += ACTORS_PER_STEP) {
    if (from > 0) await new Promise<void>((resolve) => clock.soon(resolve));
    for (const cell of cells.slice(from, from + ACTORS_PER_STEP)) each(cell);
  }
}
