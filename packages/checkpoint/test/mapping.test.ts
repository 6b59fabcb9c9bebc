import { actor, table } from '@tidemark/actors';
import { packBatch, packMessages } from '@tidemark/actors/internal';
import type { Mapping, PartWriter } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { map, message, messages, on, refusals, row, units } from './support/mapped.ts';

describe('what a program has in the same version', () => {
  const Account = actor('account', { version: 2, state: () => ({ n: 0, pots: table<string, number>() }), on });

  it('is passed on as it is: units, messages and batches, in their order', () => {
    const first = message('account', [1]);
    const batch = { task: 'job', keys: ['x'], values: [1], columns: null };
    const mapped = map([Account], { account: 2 }, (writer) => {
      writer.unit('account', 'a', '', null, { n: 1 });
      writer.unit('account', 'a', 'pots', 'red', 5);
      writer.unit('job', '', 'keyed', 'x', { sum: 1 });
      writer.outbox(packMessages([message('account', [3])])[0], 1);
      writer.channel(packBatch(batch), 1);
      writer.mail(first);
    });
    expect(mapped.refusals).toEqual([]);
    expect(units(mapped)).toEqual([
      ['account/a', { n: 1 }],
      ['account/a pots[red]', 5],
      ['job/ keyed[x]', { sum: 1 }],
    ]);
    expect(messages(mapped)).toEqual([first, batch, message('account', [3])]);
    expect(row(mapped, 'account')).toMatchObject({ outcome: 'mapped', units: 2, messages: 2, stored: 2, defined: 2 });
    expect(row(mapped, 'job')).toMatchObject({ outcome: 'mapped', units: 1, messages: 1, stored: null });
  });

  it('CHECKPOINT_INCOMPATIBLE: but for a table that its state has no more', () => {
    const mapped = map([Account], { account: 2 }, (writer) => writer.unit('account', 'a', 'gone', 'red', 5));
    expect(refusals(mapped)).toEqual([
      expect.stringMatching(
        /^CHECKPOINT_INCOMPATIBLE: checkpoint 9 holds table 'gone' of 'account', whose state has no/,
      ),
    ]);
    expect(row(mapped, 'account').outcome).toBe('failed');
  });

  it('HANDLER_UNKNOWN: but for messages to a handler that is no more', () => {
    const mapped = map([Account], { account: 2 }, (writer) => writer.mail(message('account', [], 'leave')));
    expect(refusals(mapped)).toEqual([
      expect.stringMatching(/^HANDLER_UNKNOWN: checkpoint 9 holds a message 'leave' to 'account', which has no such/),
    ]);
  });
});

describe('what is dropped', () => {
  const Kept = actor('kept', { state: () => ({}), on });
  const write = (writer: PartWriter): void => {
    writer.unit('gone', 'a', '', null, {});
    writer.unit('kept', 'a', '', null, {});
    writer.mail(message('gone', [1]));
    writer.channel(packMessages([message('gone', [1]), message('kept', [2])])[0], 1);
    writer.outbox(packBatch({ task: 'old task', keys: [1, 2], values: [1, 2], columns: null }), 1);
  };

  it('is gone with its messages, and counted; nothing else is', () => {
    const mapped = map([Kept], { gone: 1, kept: 1 }, write, { drop: ['gone', 'old task', 'never heard of'] });
    expect(mapped.refusals).toEqual([]);
    expect(units(mapped)).toEqual([['kept/a', {}]]);
    expect(messages(mapped)).toEqual([message('kept', [2])]);
    expect(row(mapped, 'gone')).toMatchObject({ outcome: 'dropped', units: 1, messages: 2 });
    expect(row(mapped, 'old task')).toMatchObject({ outcome: 'dropped', units: 0, messages: 2 });
    expect(row(mapped, 'kept').outcome).toBe('mapped');
  });

  it('STATE_UNCLAIMED: without being named nothing is, and all that nobody claims is told at once', () => {
    expect(refusals(map([Kept], { gone: 1, kept: 1 }, write))).toEqual([
      expect.stringMatching(/^STATE_UNCLAIMED: checkpoint 9 holds state of 'gone', 'old task', which .*--drop gone/),
    ]);
  });

  it('MAPPING_INVALID: not what the program has', () => {
    const mapped = map([Kept], { gone: 1, kept: 1 }, write, { drop: ['gone', 'kept', 'old task', 'job'] });
    expect(refusals(mapped)).toEqual([
      expect.stringMatching(/^MAPPING_INVALID: --drop kept: this program defines 'kept'/),
      expect.stringMatching(/^MAPPING_INVALID: --drop job: /),
    ]);
  });
});

describe('what is renamed', () => {
  const New = actor('new', { state: () => ({}), on });
  const Other = actor('other', { state: () => ({}), on });
  const rename = { old: 'new' };

  it('goes on under its new name: states, messages, and the refs to it everywhere, shared ones too', () => {
    const shared = { type: 'old', key: 's' };
    const state = {
      ref: { type: 'old', key: '1' },
      list: [{ type: 'old', key: '2' }, shared, shared],
      map: new Map<unknown, unknown>([[{ type: 'old', key: '3' }, new Set([{ type: 'old', key: '4' }])]]),
      text: 'old',
      bytes: new Uint8Array([1]),
      date: new Date(0),
    };
    const noRefs = {
      more: { type: 'old', key: '1', and: 1 },
      number: { type: 'old', key: 1 },
      none: { type: 'old' },
      another: { type: 'older', key: '1' },
    };
    const renamed = JSON.parse(
      JSON.stringify({ ref: state.ref, list: state.list }).replaceAll('"old"', '"new"'),
    ) as object;
    const mapped = map(
      [New, Other],
      { old: 1, other: 1 },
      (writer) => {
        writer.unit('old', 'a', '', null, state);
        writer.unit('other', 'a', '', null, noRefs);
        writer.unit('job', '', 'keyed', 'x', { row: { type: 'old', key: '1' } });
        writer.mail(message('old', [{ type: 'old', key: '5' }]));
        writer.outbox(packMessages([message('other', [[state.ref]])])[0], 1);
      },
      { rename },
    );
    expect(mapped.refusals).toEqual([]);
    const [[name, value], ...others] = units(mapped) as [string, Record<string, unknown>][];
    expect(name).toBe('new/a');
    expect(value).toEqual({
      ...state,
      ...renamed,
      map: new Map<unknown, unknown>([[{ type: 'new', key: '3' }, new Set([{ type: 'new', key: '4' }])]]),
    });
    const list = value['list'] as unknown[];
    expect(list[1]).toBe(list[2]);
    expect(others).toEqual([
      ['other/a', noRefs],
      // Rows of a job are its input, not an actor's.
      ['job/ keyed[x]', { row: { type: 'old', key: '1' } }],
    ]);
    expect(messages(mapped)).toEqual([
      message('new', [{ type: 'new', key: '5' }]),
      message('other', [[{ type: 'new', key: '1' }]]),
    ]);
    expect(row(mapped, 'old')).toMatchObject({ outcome: 'renamed', to: 'new', units: 1, messages: 1, refs: 7 });
    expect(row(mapped, 'new')).toBeUndefined();
  });

  it('may be migrated in the same start: its steps see the new names', () => {
    const Later = actor('later', {
      version: 2,
      state: () => ({}),
      on,
      migrate: { 1: ({ to }: { to: object }) => ({ seen: to }) },
    });
    const mapped = map(
      [Later],
      { old: 1 },
      (writer) => writer.unit('old', 'a', '', null, { to: { type: 'old', key: '1' } }),
      {
        rename: { old: 'later' },
      },
    );
    expect(units(mapped)).toEqual([['later/a', { seen: { type: 'later', key: '1' } }]]);
    expect(row(mapped, 'old')).toMatchObject({ outcome: 'migrated', to: 'later', stored: 1, defined: 2, refs: 1 });
  });

  it('changes nothing where the checkpoint knows the new name already: the same command goes on', () => {
    const data = { looks: { type: 'old', key: 'like a ref' } };
    const mapped = map([New], { new: 1 }, (writer) => writer.unit('new', 'a', '', null, data), { rename });
    expect(mapped.refusals).toEqual([]);
    expect(units(mapped)).toEqual([['new/a', data]]);
    expect(mapped.rows.map(({ type, outcome }) => [type, outcome])).toEqual([['new', 'mapped']]);
  });

  it.each<readonly [string, Partial<Mapping>, RegExp]>([
    [
      'to what the program does not define',
      { rename: { old: 'nothing' } },
      /--rename old=nothing: this program defines no actor 'nothing'/,
    ],
    [
      'of what it defines still',
      { rename: { other: 'new', old: 'new' } },
      /--rename other=new: this program defines 'other' still/,
    ],
    ['of two to one', { rename: { old: 'new', older: 'new' } }, /--rename …=new: two names cannot become one/],
    ['and dropped', { rename, drop: ['old'] }, /--drop old and --rename old=… contradict each other/],
  ])('MAPPING_INVALID: %s', (_, mapping, text) => {
    const mapped = map([New, Other], { old: 1 }, (writer) => writer.unit('old', 'a', '', null, {}), mapping);
    expect(refusals(mapped)[0]).toMatch(/^MAPPING_INVALID: /);
    expect(refusals(mapped)[0]).toMatch(text);
  });

  it('MAPPING_INVALID: where the checkpoint holds both', () => {
    const write = (writer: PartWriter): void => {
      writer.unit('old', 'a', '', null, {});
      writer.unit('new', 'b', '', null, {});
    };
    expect(refusals(map([New], { old: 1, new: 1 }, write, { rename }))).toEqual([
      expect.stringMatching(/^MAPPING_INVALID: --rename old=new: checkpoint 9 holds state of 'new' too/),
    ]);
  });
});
