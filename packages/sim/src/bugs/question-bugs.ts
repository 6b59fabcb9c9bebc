import {
  Alarms,
  Border,
  Cell,
  holdsMessages,
  type HostSays,
  OpenAsk,
  type PackedFrame,
  packMessages,
  REPLY,
  Turns,
  UnitTable,
  unpackMessages,
} from '@tidemark/actors/internal';
import { CarefulActors } from '@tidemark/checkpoint/internal';
import type { Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch, patchGetter } from './patch.ts';

/** Processes and threads die often. */
export const deaths = (config: Config): Config => ({
  ...config,
  workersMax: 3,
  swarm: { kinds: new Set(['worker-death', 'crash']), processRate: 0.05, storeRate: 0, aim: null },
});

/** Tables of which a row is not deleted. */
function rowsKept(table: string): () => void {
  const own = new WeakSet<object>();
  const undo = [
    patch(
      Cell.prototype,
      'ownTableIfAny',
      (original) =>
        function (this: Cell, name: never) {
          const found = original.call(this, name);
          if (found !== undefined && name === table) own.add(found);
          return found;
        } as never,
    ),
    patch(
      UnitTable.prototype,
      'delete',
      (original) =>
        function (this: UnitTable<string, unknown>, key) {
          return own.has(this) ? true : original.call(this, key);
        },
    ),
  ];
  return () => undo.forEach((each) => each());
}

/** A table of the runtime that no cut knows of. */
function notCaptured(table: string): () => void {
  const loose = new WeakMap<Cell, UnitTable<string, unknown>>();
  const tableOf = (cell: Cell): UnitTable<string, unknown> => {
    let found = loose.get(cell);
    if (found === undefined) loose.set(cell, (found = new UnitTable<string, unknown>()));
    return found;
  };
  const undo = (['ownTable', 'ownTableIfAny'] as const).map((method) =>
    patch(
      Cell.prototype,
      method,
      (original) =>
        function (this: Cell, name: never) {
          return name === table ? tableOf(this) : original.call(this, name);
        } as never,
    ),
  );
  return () => undo.forEach((each) => each());
}

function withoutReplies(frame: PackedFrame): readonly PackedFrame[] {
  if (!holdsMessages(frame)) return [frame];
  const left = unpackMessages(frame).filter(({ handler }) => handler !== REPLY);
  return left.length === 0 ? [] : packMessages(left);
}

/** Mistakes with questions, timers, services, letters and requests: A14–A17 of packages/actors. */
export const QUESTION_BUGS: readonly Bug[] = [
  {
    name: 'service-not-asked-again',
    what: 'after a restore nobody asks the services again that were asked before it, and no timer is set',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 3,
    plant: () => ({ undo: patch(Turns.prototype, 'resume', () => () => undefined) }),
  },
  {
    name: 'question-stays-open',
    what: 'a question that was answered is still there',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: rowsKept('~calls') }),
  },
  {
    name: 'timer-stays',
    what: 'a timer that went off, was cancelled or replaced is still there',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: rowsKept('~timers') }),
  },
  {
    name: 'question-not-captured',
    what: 'open questions are in no checkpoint',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: notCaptured('~calls') }),
  },
  {
    name: 'letter-not-captured',
    what: 'messages that were set aside are in no checkpoint',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: notCaptured('~letters') }),
  },
  {
    name: 'request-not-captured',
    what: 'what was answered to a request is in no checkpoint',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant: () => ({ undo: notCaptured('~requests') }),
  },
  {
    name: 'careful-turn-not-undone',
    what: 'a careful actor keeps what a turn has changed that threw',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        Cell.prototype,
        'load',
        (original) =>
          function (this: Cell, state) {
            // A restore loads before anything has run.
            if (!this.careful || this.changed === 0) original.call(this, state);
          },
      ),
    }),
  },
  {
    name: 'nobody-is-careful',
    what: 'after a rollback the guilty actor runs as before, and throws again',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: patchGetter(CarefulActors.prototype, 'all', () => []) }),
  },
  {
    name: 'time-limit-forgotten',
    what: 'the time limit of a question never comes',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        Alarms.prototype,
        'add',
        (original) =>
          function (this: Alarms<{ at: number }>, alarm) {
            if ('kind' in alarm && alarm.kind === 'timeout') return;
            original.call(this, alarm);
          },
      ),
    }),
  },
  {
    name: 'answer-in-motion-lost',
    what: 'answers to questions that were on their way are not restored',
    program: 'errands',
    mode: 'none',
    tune: (config) => ({ ...deaths(config), tickMs: config.lookMs * 4 }),
    seed: 2,
    plant: () => ({
      planted: {
        wires: {
          say: (says: HostSays) =>
            says.kind === 'load' ? { ...says, frames: says.frames.flatMap(withoutReplies) } : says,
        },
      },
    }),
  },
  {
    name: 'answer-not-held',
    what: 'an answer that shall wait for a checkpoint is given at once',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant: () => ({
      undo: patch(
        OpenAsk.prototype,
        'answered',
        (original) =>
          function (this: OpenAsk, answer, cut) {
            original.call(this, answer, cut);
            if (this.waitsFor(Number.POSITIVE_INFINITY)) this.published(Number.POSITIVE_INFINITY);
          },
      ),
    }),
  },
  {
    name: 'answer-released-too-early',
    what: 'an answer is released by a checkpoint whose cut was before its turn',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant() {
      const undo = [
        patch(
          OpenAsk.prototype,
          'waitsFor',
          (original) =>
            function (this: OpenAsk) {
              return original.call(this, Number.POSITIVE_INFINITY);
            },
        ),
        patch(
          OpenAsk.prototype,
          'published',
          (original) =>
            function (this: OpenAsk) {
              original.call(this, Number.POSITIVE_INFINITY);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'release-not-recorded',
    what: 'a record does not say that it lets answers out, so that it may be passed over when it is damaged',
    program: 'errands',
    mode: 'damage',
    tune: (config) => ({
      ...config,
      bounds: { ...config.bounds, inlineBytesMax: 0 },
      swarm: { ...config.swarm, kinds: new Set(['truncation', 'bit-flip', 'crash']), processRate: 0.1 },
    }),
    seed: 4,
    plant: () => ({
      undo: patch(
        Border.prototype,
        'answersWait',
        (original) =>
          function (this: Border, cut) {
            original.call(this, cut);
            return false;
          },
      ),
    }),
  },
];
