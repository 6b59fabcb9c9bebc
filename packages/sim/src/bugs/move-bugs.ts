import {
  type Envelope,
  type HostSays,
  OpenAsk,
  type OpenCall,
  ServiceDesk,
  TurnContext,
  UnitTable,
} from '@tidemark/actors/internal';
import type { Parcel } from '../programs/depot.ts';
import type { Bug } from './bug.ts';
import { patch, patchGetter } from './patch.ts';
import { deaths } from './question-bugs.ts';

/** The depots of the programs are asked with one parcel and two words more. */
function parcelIn(args: readonly unknown[]): Parcel | null {
  const [first] = args;
  return typeof first === 'object' && first !== null && 'bytes' in first ? (first as Parcel) : null;
}

/** Empties what an actor has asked a service with, as a move would. */
function emptying<T extends object>(calls: T): T {
  return new Proxy(calls, {
    get: (of, handler) =>
      function (...args: unknown[]) {
        const question = (of[handler as keyof T] as (...args: unknown[]) => unknown)(...args);
        const bytes = parcelIn(args)?.bytes;
        if (bytes !== undefined && bytes.byteLength > 0) {
          const buffer = (ArrayBuffer.isView(bytes) ? bytes.buffer : bytes) as ArrayBuffer;
          structuredClone(buffer, { transfer: [buffer] });
        }
        return question;
      },
  });
}

/** A service gets the very arguments that the row of its question keeps. */
function argumentsShared(): () => void {
  const open = new Map<string, OpenCall>();
  const undo = [
    patch(
      UnitTable.prototype,
      'touch',
      (original) =>
        function (this: UnitTable<string, unknown>, key, initial) {
          const entry = original.call(this, key, initial as never);
          const row = entry.value as OpenCall | { readonly askedAt?: undefined };
          if (row.askedAt !== undefined) open.set(String(key), row);
          return entry as never;
        },
    ),
    patch(
      ServiceDesk.prototype,
      'start',
      (original) =>
        function (this: ServiceDesk, envelope: Envelope) {
          const { reply } = envelope;
          const args = reply !== null && 'call' in reply ? open.get(reply.call)?.args : undefined;
          original.call(this, args === undefined || args === null ? envelope : { ...envelope, args });
        },
    ),
  ];
  return () => undo.forEach((each) => each());
}

/** A view arrives as all that is in its buffer. */
function widened(says: HostSays): HostSays {
  if (says.kind !== 'serve') return says;
  const { envelope } = says;
  const [first, ...others] = envelope.args;
  const parcel = parcelIn([first]);
  if (parcel === null || !ArrayBuffer.isView(parcel.bytes)) return says;
  return {
    ...says,
    envelope: { ...envelope, args: [{ ...parcel, bytes: new Uint8Array(parcel.bytes.buffer) }, ...others] },
  };
}

/** Mistakes with buffers that are moved: ADR 0018. */
export const MOVE_BUGS: readonly Bug[] = [
  {
    name: 'moved-ask-made-again',
    what: 'an ask whose buffers were moved is made again after a rollback, as others are',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant: () => ({ undo: patchGetter(OpenAsk.prototype, 'isMoved', () => false) }),
  },
  {
    name: 'moved-ask-forgotten',
    what: 'an ask whose buffers were moved hears nothing of a rollback',
    program: 'errands',
    mode: 'none',
    tune: deaths,
    seed: 1,
    plant: () => ({
      undo: patch(
        OpenAsk.prototype,
        'fail',
        (original) =>
          function (this: OpenAsk, error) {
            if (!(this.isMoved && (error as { code?: string }).code === 'SERVICE_INTERRUPTED'))
              original.call(this, error);
          },
      ),
    }),
  },
  {
    name: 'moved-ask-aborted-by-frame',
    what: 'the abort of an ask goes by another way than its moved buffers, and may come before them',
    program: 'errands',
    mode: 'none',
    tune: (config) => ({ ...config, workersMax: 3, steps: 2 * config.steps }),
    seed: 1,
    plant: () => ({
      undo: patch(
        ServiceDesk.prototype,
        'abortMoved',
        () =>
          function (this: ServiceDesk, id) {
            this.abort(id);
          },
      ),
    }),
  },
  {
    name: 'moved-view-widened',
    what: 'a moved view arrives as the whole buffer under it',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ planted: { wires: { say: widened } } }),
  },
  {
    name: 'actor-moves-its-state',
    what: 'what an actor marks is moved, and its state is left with an empty buffer',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        TurnContext.prototype,
        'call',
        (original) =>
          function (this: TurnContext, to: never, options: never) {
            return emptying(original.call(this, to, options) as object);
          } as never,
      ),
    }),
  },
  {
    name: 'question-shares-its-row',
    what: 'a service of the same thread gets the arguments that the row of its question keeps, and changes or moves them',
    program: 'errands',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: argumentsShared() }),
  },
];
