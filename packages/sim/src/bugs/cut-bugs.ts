import { Mailbox, OutChannel, Runtime, UnitTable } from '@tidemark/actors/internal';
import { Participant, PartWriter } from '@tidemark/checkpoint/internal';
import type { Config } from '../config.ts';
import type { Bug } from './bug.ts';
import { patch, patchGetter } from './patch.ts';

/** Much is on its way between many threads, and mailboxes are seldom empty. */
function busy(config: Config): Config {
  return { ...config, workersMax: 4, tickMs: config.lookMs * 4 };
}

/** Mistakes of a thread in a cut: C1–C6 of packages/checkpoint/SPEC.md. */
export const CUT_BUGS: readonly Bug[] = [
  {
    name: 'flips-late',
    what: 'a worker acts on its first marker only in the next slice, behind frames that followed it',
    program: 'bank',
    mode: 'none',
    seed: 3,
    plant() {
      const runtimes = new WeakMap<object, Runtime>();
      const undo = [
        patch(
          Runtime.prototype,
          'useHooks',
          (original) =>
            function (this: Runtime, hooks) {
              runtimes.set(hooks, this);
              original.call(this, hooks);
            },
        ),
        patch(
          Participant.prototype,
          'marker',
          (original) =>
            function (this: Participant, marker, from) {
              runtimes.get(this)?.clock.soon(() => original.call(this, marker, from));
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'marker-ignored',
    what: 'markers of workers are not counted: recording never ends',
    program: 'bank',
    mode: 'none',
    seed: 2,
    plant: () => ({
      undo: patch(
        Participant.prototype,
        'marker',
        (original) =>
          function (this: Participant, marker, from) {
            if (from < 2) original.call(this, marker, from);
          },
      ),
    }),
  },
  {
    name: 'first-marker-ends-recording',
    what: 'the first marker of a cut ends the recording of all channels',
    program: 'bank',
    mode: 'none',
    tune: busy,
    seed: 1,
    plant: () => ({
      undo: patch(
        Participant.prototype,
        'marker',
        (original) =>
          function (this: Participant, marker) {
            for (let from = 0; from <= 3; from++) original.call(this, marker, from);
          },
      ),
    }),
  },
  {
    name: 'arrived-not-recorded',
    what: 'frames that had arrived at the flip and were not taken are in no part',
    program: 'bank',
    mode: 'none',
    seed: 7,
    plant: () => ({ undo: patchGetter(Runtime.prototype, 'arrivedFrames', () => []) }),
  },
  {
    name: 'channel-not-recorded',
    what: 'frames that arrive between the flip and the marker are in no part',
    program: 'bank',
    mode: 'none',
    seed: 7,
    plant: () => ({ undo: patch(Participant.prototype, 'arrived', () => () => undefined) }),
  },
  {
    name: 'outbox-not-recorded',
    what: 'what was sent and not yet posted at the flip is in no part',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        OutChannel.prototype,
        'flip',
        (original) =>
          function (this: OutChannel, cut, base) {
            original.call(this, cut, base, () => undefined);
          },
      ),
    }),
  },
  {
    name: 'outbox-recorded-twice',
    what: 'a sealed frame is recorded twice',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant: () => ({
      undo: patch(
        OutChannel.prototype,
        'flip',
        (original) =>
          function (this: OutChannel, cut, base, record) {
            original.call(this, cut, base, (frame) => {
              record(frame);
              record(frame);
            });
          },
      ),
    }),
  },
  {
    name: 'outbox-before-marker',
    what: 'what was sealed is posted ahead of the marker: recorded by both sides',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant() {
      let held: (() => void)[] | null = null;
      const undo = patch(
        OutChannel.prototype,
        'flip',
        (original) =>
          function (this: OutChannel, cut, base, record) {
            const markers: (() => void)[] = [];
            held = markers;
            original.call(this, cut, base, record);
            held = null;
            this.flush(cut);
            for (const marker of markers) marker();
          },
      );
      return {
        undo,
        planted: {
          wires: {
            carry: (item, post) => {
              if (item.kind === 'marker' && held !== null) held.push(() => post(item));
              else post(item);
            },
          },
        },
      };
    },
  },
  {
    name: 'mail-not-captured-on-take',
    what: 'a message from before the mark is not captured when a handler takes it',
    program: 'bank',
    mode: 'none',
    tune: busy,
    seed: 2,
    plant() {
      let taking = false;
      const undo = [
        patch(
          Mailbox.prototype,
          'take',
          (original) =>
            function (this: Mailbox<unknown>) {
              taking = true;
              try {
                return original.call(this);
              } finally {
                taking = false;
              }
            },
        ),
        patch(
          PartWriter.prototype,
          'mail',
          (original) =>
            function (this: PartWriter, envelope) {
              if (!taking) original.call(this, envelope);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'captured-after-change',
    what: 'a unit is encoded at the end of the cut, not as it was at the flip',
    program: 'bank',
    mode: 'none',
    seed: 1,
    plant() {
      const waiting = new WeakMap<PartWriter, (() => void)[]>();
      const undo = [
        patch(
          PartWriter.prototype,
          'unit',
          (original) =>
            function (this: PartWriter, ...unit) {
              const units = waiting.get(this) ?? [];
              units.push(() => original.apply(this, unit));
              waiting.set(this, units);
            },
        ),
        patch(
          PartWriter.prototype,
          'end',
          (original) =>
            function (this: PartWriter) {
              for (const unit of waiting.get(this) ?? []) unit();
              original.call(this);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'born-after-flip-captured',
    what: 'a row that is born after the flip is captured as if it had been there',
    program: 'counters',
    mode: 'none',
    seed: 1,
    plant() {
      const owners = new WeakMap<object, Parameters<AnyTable['attach']>[0]>();
      const undo = [
        patch(
          UnitTable.prototype as AnyTable,
          'attach',
          (original) =>
            function (this: AnyTable, owner) {
              owners.set(this, owner);
              original.call(this, owner);
            },
        ),
        patch(
          UnitTable.prototype as AnyTable,
          'update',
          (original) =>
            function (this: AnyTable, key, change, initial) {
              const born = !this.has(key);
              original.call(this, key, change, initial);
              const owner = owners.get(this);
              if (born) owner?.cut.sink?.unit(owner.type, owner.key, owner.table, key, this.get(key));
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'recording-ends-late',
    what: 'frames behind the marker are recorded, too',
    program: 'bank',
    mode: 'none',
    seed: 7,
    plant() {
      const runtimes = new WeakMap<object, Runtime>();
      const flipped = new WeakMap<object, number>();
      const undo = [
        patch(
          Runtime.prototype,
          'useHooks',
          (original) =>
            function (this: Runtime, hooks) {
              runtimes.set(hooks, this);
              original.call(this, hooks);
            },
        ),
        patch(
          Participant.prototype,
          'flip',
          (original) =>
            function (this: Participant, cut, base) {
              flipped.set(this, cut);
              original.call(this, cut, base);
            },
        ),
        patch(
          Participant.prototype,
          'marker',
          (original) =>
            function (this: Participant, marker, from) {
              if (flipped.get(this) === marker.cut)
                runtimes.get(this)?.clock.soon(() => original.call(this, marker, from));
              else original.call(this, marker, from);
            },
        ),
      ];
      return { undo: () => undo.forEach((each) => each()) };
    },
  },
  {
    name: 'frame-delivered-twice',
    what: 'a channel delivers some frames twice',
    program: 'letters',
    mode: 'none',
    seed: 1,
    plant() {
      let frames = 0;
      return {
        planted: {
          wires: {
            carry: (item, post) => {
              post(item);
              if (item.kind === 'frame' && ++frames % 50 === 0) post({ ...item, body: new Uint8Array(item.body) });
            },
          },
        },
      };
    },
  },
  {
    name: 'deleted-row-not-captured',
    what: 'a row that is deleted after the flip is in no part, although it was there at the flip',
    program: 'counters',
    mode: 'none',
    seed: 2,
    plant: () => ({ undo: withoutCapture('delete') }),
  },
  {
    name: 'replaced-row-not-captured',
    what: 'a row that is replaced after the flip is in no part as it was',
    program: 'counters',
    mode: 'none',
    seed: 1,
    plant: () => ({ undo: withoutCapture('set') }),
  },
];

type AnyTable = UnitTable<string | number, unknown>;

/** Changes rows by this method as if no cut were open. */
function withoutCapture(method: 'delete' | 'set'): () => void {
  const owners = new WeakMap<object, Parameters<AnyTable['attach']>[0]>();
  const table = UnitTable.prototype as AnyTable;
  const blind = <A extends unknown[], R>(original: (...args: A) => R) =>
    function (this: AnyTable, ...args: A): R {
      const cut = owners.get(this)?.cut;
      if (cut === undefined) return original.apply(this, args);
      const { sink } = cut;
      cut.sink = null;
      try {
        return original.apply(this, args);
      } finally {
        cut.sink = sink;
      }
    };
  const undo = [
    patch(
      table,
      'attach',
      (original) =>
        function (this: AnyTable, owner) {
          owners.set(this, owner);
          original.call(this, owner);
        },
    ),
    method === 'set' ? patch(table, 'set', blind) : patch(table, 'delete', blind),
  ];
  return () => undo.forEach((each) => each());
}
