import { decodeValue, unpackMessages } from '@tidemark/actors/internal';
import type { PartContent } from '@tidemark/checkpoint/internal';

/** What a checkpoint of the bank holds. */
export interface Money {
  /** Accounts that exist: each began with 1,000. */
  readonly accounts: number;
  readonly balances: number;
  /** Amounts on their way, by where they were found. */
  readonly mail: number;
  readonly channels: number;
  readonly outboxes: number;
  readonly messages: number;
}

/** Counts the money in all parts of one checkpoint. */
export function countMoney(parts: readonly PartContent[]): Money {
  const balances = parts
    .flatMap(({ units }) => units)
    .filter(({ type }) => type === 'account')
    .map(({ value }) => (decodeValue(value) as { balance: number }).balance);
  const amounts = (frames: PartContent['mail']): number[] =>
    frames
      .flatMap((frame) => unpackMessages(frame))
      .filter(({ type, handler }) => type === 'account' && handler === 'receive')
      .map(({ args }) => args[0] as number);
  const [mail, channels, outboxes] = (['mail', 'channels', 'outboxes'] as const).map((where) =>
    amounts(parts.flatMap((part) => part[where])),
  );
  return {
    accounts: balances.length,
    balances: sum(balances),
    mail: sum(mail),
    channels: sum(channels),
    outboxes: sum(outboxes),
    messages: mail.length + channels.length + outboxes.length,
  };
}

export function totalOf(money: Money): number {
  return money.balances + money.mail + money.channels + money.outboxes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
