import type { Actor } from '@tidemark/actors';

export const ACCOUNTS: number;
export const TOTAL: number;
export const Account: Actor<
  { balance: number },
  { receive(ctx: unknown, amount: number): void; fill(ctx: unknown): void; balance(ctx: unknown): number }
>;
