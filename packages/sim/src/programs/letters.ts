import { actor } from '@tidemark/actors';
import { messagesTo, unitsOf } from './contents.ts';
import { drive } from './driver.ts';
import { checkGate, newGate, passGate, ticksIn } from './gate.ts';
import type { ActorProgram } from './program.ts';

const CLERKS = 6;
const HOPS = 8;
const BALLAST_CHARS = 120_000;

/** Gives a clerk something to write. */
const Office = actor('sim.office', {
  state: () => newGate(),
  on: {
    tick(ctx, term: number, n: number, told: number, heavy: boolean, bulk: boolean): void {
      passGate(ctx.state, { term, n, told }, bulk);
      ctx.tell(ctx.ref(Clerk, String(n % CLERKS))).write(HOPS, heavy);
    },
  },
});

interface ClerkState {
  seed: number;
  sent: Record<string, number>;
  got: Record<string, number>;
}

/** Sends numbered letters in circles. One that is lost, doubled or overtaken between any two clerks throws. */
const Clerk = actor('sim.clerk', {
  state: (key): ClerkState => ({ seed: Number(key) + 1, sent: {}, got: {} }),
  on: {
    write(ctx, hops: number, heavy: boolean): void {
      send(ctx, hops, heavy);
    },
    letter(ctx, from: string, n: number, hops: number, heavy: boolean, _ballast: string): void {
      const { state } = ctx;
      const expected = state.got[from] ?? 0;
      if (n !== expected) throw new Error(`letter ${n} from ${from} to ${ctx.key}, expected ${expected}`);
      state.got[from] = expected + 1;
      if (hops > 0) send(ctx, hops - 1, heavy);
    },
    read(_ctx, nonce: number): number {
      return nonce;
    },
  },
});

type ClerkCtx = Parameters<(typeof Clerk.on)['write']>[0];

function send(ctx: ClerkCtx, hops: number, heavy: boolean): void {
  const { state } = ctx;
  state.seed = (Math.imul(state.seed, 1103515245) + 12345) & 0x7fffffff;
  const to = String((state.seed >>> 8) % CLERKS);
  const n = state.sent[to] ?? 0;
  state.sent[to] = n + 1;
  const ballast = heavy && (state.seed >>> 5) % 2 === 0 ? 'z'.repeat((state.seed >>> 4) % BALLAST_CHARS) : '';
  ctx.tell(ctx.ref(Clerk, to)).letter(ctx.key, n, hops, heavy, ballast);
}

/** Numbered letters between clerks: none is lost, doubled or overtaken, in no cut and after no restore. */
export const letters: ActorProgram = {
  kind: 'actors',
  name: 'letters',
  start(host) {
    const { border, term, chance } = host;
    drive(host, {
      tick: (n, told) =>
        border
          .tell<typeof Office>({ type: Office.name, key: 'only' })
          .tick(term, n, told, host.heavy && chance.isTrue(0.3), host.bulk),
      ask: (nonce) => border.ask<typeof Clerk>({ type: Clerk.name, key: String(chance.below(CLERKS)) }).read(nonce),
    });
  },
  check(parts) {
    checkGate(parts, Office.name);
    const clerks = new Map(unitsOf(parts, Clerk.name).map(({ key, value }) => [key, value as ClerkState]));
    const got = new Map<string, number>();
    for (const [to, { got: from }] of clerks) for (const [name, n] of Object.entries(from)) got.set(`${name}→${to}`, n);
    for (const { key: to, args } of messagesTo(parts, Clerk.name, 'letter')) {
      const way = `${args[0] as string}→${to}`;
      const expected = got.get(way) ?? 0;
      if (args[1] !== expected) throw new Error(`letter ${String(args[1])} on the way ${way}, expected ${expected}`);
      got.set(way, expected + 1);
    }
    for (const [from, { sent }] of clerks) {
      for (const [to, n] of Object.entries(sent)) {
        const arrived = got.get(`${from}→${to}`) ?? 0;
        if (arrived !== n) throw new Error(`${from} has sent ${n} letters to ${to}, of which the cut has ${arrived}`);
      }
    }
  },
  ticksIn: (parts) => ticksIn(parts, Office.name),
};
