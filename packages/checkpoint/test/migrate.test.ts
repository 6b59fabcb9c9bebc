import { actor, type AnyActor, type RecordedMessage, table } from '@tidemark/actors';
import { packMessages } from '@tidemark/actors/internal';
import type { PartWriter } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { map, message, messages, on, refusals, row, units } from './support/mapped.ts';

describe('a migration', () => {
  it('takes each state and each message through the steps of all versions between', () => {
    const Account = actor('purse', {
      version: 3,
      state: () => ({ cents: 0, currency: '' }),
      on: { pay: (_ctx, _cents: number): void => undefined },
      migrate: {
        1: (old: { amount: number }, key) => ({ ...old, currency: key === 'a' ? 'EUR' : 'USD' }),
        2: ({ amount, ...rest }: { amount: number }) => ({ ...rest, cents: amount * 100 }),
      },
      migrateMessage: {
        1: ({ args }) => ({ handler: 'pay', args }),
        2: ({ handler, args: [amount] }) => (amount === 0 ? null : { handler, args: [(amount as number) * 100] }),
      },
    });
    const write = (writer: PartWriter): void => {
      writer.unit('purse', 'a', '', null, { amount: 5 });
      writer.unit('purse', 'b', '', null, { amount: 7 });
      writer.mail({ ...message('purse', [1], 'give'), reply: { ask: 4, term: 5 } });
      writer.channel(packMessages([message('purse', [0], 'give'), message('purse', [2], 'give')])[0], 1);
    };
    const mapped = map([Account], { purse: 1 }, write);
    expect(mapped.refusals).toEqual([]);
    expect(units(mapped)).toEqual([
      ['purse/a', { currency: 'EUR', cents: 500 }],
      ['purse/b', { currency: 'USD', cents: 700 }],
    ]);
    expect(messages(mapped)).toEqual([
      { ...message('purse', [100], 'pay'), reply: { ask: 4, term: 5 } },
      message('purse', [200], 'pay'),
    ]);
    expect(row(mapped, 'purse')).toEqual({
      type: 'purse',
      outcome: 'migrated',
      to: null,
      stored: 1,
      defined: 3,
      units: 2,
      messages: 3,
      messagesDropped: 1,
      refs: 0,
    });
    // From the version in between only the last step is taken.
    const later = map([Account], { purse: 2 }, (writer) => writer.unit('purse', 'a', '', null, { amount: 1 }));
    expect(units(later)).toEqual([['purse/a', { cents: 100 }]]);
  });

  it('leaves messages as they are where it says nothing of them', () => {
    const Account = actor('account', { version: 2, state: () => ({}), on, migrate: { 1: () => ({}) } });
    const mapped = map([Account], { account: 1 }, (writer) => writer.mail(message('account', [1])));
    expect(messages(mapped)).toEqual([message('account', [1])]);
    expect(mapped.refusals).toEqual([]);
  });

  it('has the tables of an actor as maps: their values change, tables come and go', () => {
    const Shop = actor('shop', {
      version: 2,
      state: () => ({ open: 0, orders: table<number, { cents: number }>(), names: table<string, string>() }),
      on,
      migrate: {
        1({ orders, done, ...rest }: { orders: Map<number, number>; done: Map<string, number>; owner: string }) {
          return {
            ...rest,
            open: orders.size,
            orders: new Map([...orders].map(([id, euros]) => [id, { cents: euros * 100 }])),
            names: new Map([...done].map(([name, n]) => [name, `${name} ${n}`])),
            tags: new Map([['a', 1]]),
          };
        },
      },
    });
    const mapped = map([Shop], { shop: 1 }, (writer) => {
      writer.unit('shop', 'a', 'orders', 1, 10);
      writer.unit('shop', 'a', '', null, { owner: 'ann' });
      writer.unit('shop', 'a', 'done', 'x', 2);
      writer.unit('shop', 'a', 'orders', 2, 20);
    });
    expect(mapped.refusals).toEqual([]);
    expect(units(mapped)).toEqual([
      ['shop/a', { owner: 'ann', open: 2, tags: new Map([['a', 1]]) }],
      ['shop/a orders[1]', { cents: 1000 }],
      ['shop/a orders[2]', { cents: 2000 }],
      ['shop/a names[x]', 'x 2'],
    ]);
    expect(row(mapped, 'shop')).toMatchObject({ outcome: 'migrated', units: 4 });
  });

  it('CHECKPOINT_INCOMPATIBLE: without a step, and back to an earlier version', () => {
    const Gap = actor('gap', { version: 4, state: () => ({}), on, migrate: { 1: () => ({}), 3: () => ({}) } });
    const gap = map([Gap], { gap: 1 }, (writer) => writer.unit('gap', 'a', '', null, {}));
    expect(refusals(gap)).toEqual([
      expect.stringMatching(
        /^CHECKPOINT_INCOMPATIBLE: checkpoint 9 holds state of 'gap' version 1; this program defines version 4\. No step leads there: migrate: \{ 2: /,
      ),
    ]);
    expect(row(gap, 'gap').outcome).toBe('other-version');
    const back = map([Gap], { gap: 5 }, (writer) => writer.mail(message('gap', [])));
    expect(refusals(back)).toEqual([
      expect.stringMatching(/version 5; this program defines version 4\. A program of an earlier version cannot go on/),
    ]);
  });

  const broken = (step: (old: unknown) => unknown, messageStep?: (given: RecordedMessage) => unknown): AnyActor =>
    actor('broken', {
      version: 2,
      state: () => ({ pots: table<string, number>() }),
      on,
      migrate: { 1: step },
      migrateMessage: messageStep === undefined ? {} : { 1: messageStep as () => null },
    });

  it.each<readonly [string, (old: unknown) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new RangeError('too old');
      },
      /: too old\. Nothing was started/,
    ],
    ['returns nothing', () => undefined, /: returned undefined; a state is a plain object/],
    ['returns a promise', () => Promise.resolve({}), /: returned a Promise; a state is a plain object/],
    ['returns a function inside', () => ({ f: () => 1 }), /state\.f: function/],
    ['returns an object for a table', () => ({ pots: {} }), /pots is a table now: expected a Map with its entries/],
    [
      'returns a table with a key of another kind',
      () => ({ pots: new Map([[{}, 1]]) }),
      /a key of table pots is of type object/,
    ],
    ['returns a value that is no plain data', () => ({ pots: new Map([['x', Symbol('s')]]) }), /pots\["x"\]: symbol/],
  ])(
    'MIGRATION_FAILED: a step that %s is named with its actor, and the rest is looked at all the same',
    (_, step, text) => {
      const Fine = actor('fine', { version: 2, state: () => ({}), on, migrate: { 1: () => ({ ok: true }) } });
      const mapped = map([broken(step), Fine], { broken: 1, fine: 1 }, (writer) => {
        writer.unit('broken', 'k1', '', null, {});
        writer.unit('broken', 'k2', '', null, {});
        writer.unit('fine', 'a', '', null, {});
      });
      expect(refusals(mapped)).toEqual([expect.stringMatching(/^MIGRATION_FAILED: broken\/k1, from version 1 to 2: /)]);
      expect(refusals(mapped)[0]).toMatch(text);
      expect(row(mapped, 'broken').outcome).toBe('failed');
      expect(units(mapped)).toEqual([['fine/a', { ok: true }]]);
    },
  );

  it.each<readonly [string, (given: RecordedMessage) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      /: no\. Nothing/,
    ],
    ['returns nothing', () => undefined, /returned no message/],
    ['returns no arguments', () => ({ handler: 'take' }), /returned no message/],
    ['returns a function', () => ({ handler: 'take', args: [() => 1] }), /args\[0\]: function/],
  ])('MIGRATION_FAILED: a step of a message that %s', (_, step, text) => {
    const mapped = map([broken(() => ({}), step)], { broken: 1 }, (writer) => writer.mail(message('broken', [1])));
    expect(refusals(mapped)).toEqual([
      expect.stringMatching(/^MIGRATION_FAILED: a message 'take' to broken\/a, from version 1 to 2: /),
    ]);
    expect(refusals(mapped)[0]).toMatch(text);
  });

  it('HANDLER_UNKNOWN: a step that gives a message to a handler that is not there', () => {
    const Actor = broken(
      () => ({}),
      () => ({ handler: 'gone', args: [] }),
    );
    const mapped = map([Actor], { broken: 1 }, (writer) => writer.mail(message('broken', [1])));
    expect(refusals(mapped)).toEqual([expect.stringMatching(/^HANDLER_UNKNOWN: .* a message 'gone' to 'broken'/)]);
  });
});
