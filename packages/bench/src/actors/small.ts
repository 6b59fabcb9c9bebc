/** The message that all contenders send: five fields, about 36 bytes. */
export interface Small {
  /** Of an ask; 0 for a message that wants no answer. */
  readonly id: number;
  readonly kind: string;
  readonly amount: number;
  readonly at: number;
  readonly ok: boolean;
}

export function small(id: number): Small {
  return { id, kind: 'deposit', amount: 1, at: 1_764_000_000_000 + id, ok: true };
}

/** Messages between two credits, and the size of a batch. */
export const BURST = 256;

/** Bursts that are under way at once: 4,096 messages. */
export const BURSTS = 16;
