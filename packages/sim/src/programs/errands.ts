import { actor, move, type Ref, type Reply } from '@tidemark/actors';
import { type Envelope, REPLY, RESEND } from '@tidemark/actors/internal';
import type { PartContent } from '@tidemark/checkpoint/internal';
import { messagesTo, type Unit, unitsOf } from './contents.ts';
import { contentOf, DEPOTS, holds, type Parcel, type Raised } from './depot.ts';
import { drive } from './driver.ts';
import { checkGate, newGate, passGate, ticksIn } from './gate.ts';
import { checkParcels, PostOffice } from './parcels.ts';
import type { ActorProgram, ProgramHost } from './program.ts';
import { letSomeGo, type Way, Workshop } from './workshop.ts';

const CLERKS = 4;
const VAULTS = 3;
const BALLAST_CHARS = 60_000;
/** Virtual milliseconds of the longest timer, in ticks. */
const TIMER_TICKS = 20;

type Kind = 'vault' | 'limited' | 'workshop' | 'timer' | 'parcel' | 'poison' | 'poisoned parcel' | 'poisoned answer';
const KINDS: readonly Kind[] = [
  'vault',
  'vault',
  'limited',
  'workshop',
  'workshop',
  'workshop',
  'timer',
  'timer',
  'vault',
  'parcel',
  'parcel',
  'parcel',
  'poison',
  'poisoned parcel',
  'poisoned answer',
];
const WAYS: readonly Way[] = ['now', 'later', 'later', 'fails', 'never'];

/** Numbers errands and hands them out. */
const Board = actor('sim.board', {
  state: () => newGate(),
  on: {
    tick(ctx, term: number, n: number, told: number, heavy: boolean, bulk: boolean, tickMs: number): void {
      passGate(ctx.state, { term, n, told }, bulk);
      const id = ctx.state.all;
      const ballast = heavy ? 'e'.repeat(mixed(id) % BALLAST_CHARS) : '';
      ctx.tell(ctx.ref(Clerk, String(mixed(id) % CLERKS))).errand(id, tickMs, ballast);
    },
  },
});

/** Gives each errand something, once. */
const Vault = actor('sim.vault', {
  state: () => ({ lent: [] as number[], wrong: '' }),
  on: {
    lend(ctx, id: number, _ballast: string, parcel: Parcel): number {
      if (!holds(parcel, 0)) ctx.state.wrong ||= `errand ${id} came with other bytes`;
      // It is its own.
      (parcel.bytes as Uint8Array).fill(0);
      if (ctx.state.lent.includes(id)) ctx.state.wrong ||= `errand ${id} was lent to twice`;
      ctx.state.lent.push(id);
      return id;
    },
  },
});

interface ClerkState {
  /** Errands whose turn has begun one. */
  readonly begun: number[];
  /** Errands that are answered. */
  readonly done: number[];
  readonly visits: number[];
  /** Is moved with many errands, and stays whole: what actors send is copied. */
  readonly keepsake: Uint8Array;
  /** What must never be, in words. Not thrown: what a careful actor throws is set aside. */
  wrong: string;
}

/** Runs errands: asks actors and services, sets timers, and now and then throws. */
const Clerk = actor('sim.clerk-errands', {
  state: (key): ClerkState => ({ begun: [], done: [], visits: [], keepsake: contentOf(Number(key)), wrong: '' }),
  on: {
    errand(ctx, id: number, tickMs: number, ballast: string): void {
      const { state } = ctx;
      if (state.begun.includes(id)) state.wrong ||= `errand ${id} was begun twice`;
      state.begun.push(id);
      const kind = kindOf(id);
      const parcel = (): Parcel => ({ id: Number(ctx.key), bytes: move(state.keepsake), rest: null });
      const vault = ctx.ref(Vault, String(mixed(id + 7) % VAULTS));
      switch (kind) {
        case 'poison':
          throw new Error('poison');
        case 'parcel':
        case 'poisoned parcel': {
          const way = WAYS[mixed(id + 5) % WAYS.length];
          const limits = way === 'never' || id % 3 === 0 ? { timeoutMs: tickMs * 5 } : {};
          ctx
            .call(DEPOTS[mixed(id + 9) % DEPOTS.length], limits)
            .raise(parcel(), way, 'moved')
            .into(Clerk, 'parcelled', id);
          if (kind === 'poisoned parcel') throw new Error('poison');
          return;
        }
        case 'vault':
        case 'poisoned answer':
          ctx.call(vault).lend(id, ballast, parcel()).into(Clerk, 'answered', id);
          return;
        case 'limited':
          ctx
            .call(vault, { timeoutMs: mixed(id) % (tickMs * 2) })
            .lend(id, ballast, parcel())
            .into(Clerk, 'answered', id);
          return;
        case 'workshop': {
          const way = WAYS[mixed(id + 3) % WAYS.length];
          const limits = way === 'never' || id % 3 === 0 ? { timeoutMs: tickMs * 5 } : {};
          ctx.call(Workshop, limits).make(id, way).into(Clerk, 'answered', id);
          return;
        }
        case 'timer':
          ctx.after(mixed(id) % (tickMs * TIMER_TICKS), String(id)).into(Clerk, 'rung', id);
          // One that is replaced and one that is cancelled never go off.
          ctx.after(1, `replaced ${id}`).into(Clerk, 'never', id);
          ctx.after(tickMs * 3, `replaced ${id}`).into(Clerk, 'again', id);
          ctx.after(1, `cancelled ${id}`).into(Clerk, 'never', id);
          ctx.cancel(`cancelled ${id}`);
          return;
      }
    },
    answered(ctx, answer: Reply<number>, id: number): void {
      const { state } = ctx;
      finish(state, id);
      if (answer.ok && answer.value !== id) state.wrong ||= `errand ${id} was answered with ${answer.value}`;
      if (!answer.ok && answer.code !== 'CALL_TIMEOUT' && answer.code !== 'CLOSED') {
        state.wrong ||= `errand ${id} was answered with ${answer.code}: ${answer.message}`;
      }
      if (kindOf(id) === 'poisoned answer') throw new Error('poison');
    },
    parcelled(ctx, answer: Reply<Raised>, id: number): void {
      const { state } = ctx;
      finish(state, id);
      if (answer.ok) {
        if (!holds(answer.value, 1)) state.wrong ||= `errand ${id} was answered with other bytes`;
      } else if (answer.code !== 'CALL_TIMEOUT' && answer.code !== 'CLOSED') {
        state.wrong ||= `errand ${id} was answered with ${answer.code}: ${answer.message}`;
      }
    },
    rung(ctx, id: number): void {
      finish(ctx.state, id);
    },
    again(ctx, id: number): void {
      if (!ctx.state.begun.includes(id)) ctx.state.wrong ||= `a timer of errand ${id} went off, which was not begun`;
    },
    never(ctx, id: number): void {
      ctx.state.wrong ||= `a timer of errand ${id} went off that was replaced or cancelled`;
    },
    /** Of a request with an id: is counted once, however often it is asked. */
    visit(ctx, nonce: number): number {
      if (ctx.state.visits.includes(nonce)) ctx.state.wrong ||= `visit ${nonce} was counted twice`;
      return ctx.state.visits.push(nonce);
    },
    read(_ctx, nonce: number): number {
      return nonce;
    },
  },
});

function finish(state: ClerkState, id: number): void {
  if (!state.begun.includes(id)) state.wrong ||= `errand ${id} was answered and not begun`;
  if (state.done.includes(id)) state.wrong ||= `errand ${id} was answered twice`;
  state.done.push(id);
}

function kindOf(id: number): Kind {
  return KINDS[mixed(id * 31) % KINDS.length];
}

/** Answers that were given after a checkpoint, by visit: they hold for ever. Of one world. */
const told = new Map<number, number>();

/** A new world begins. */
export function forgetVisits(): void {
  told.clear();
}

/** Errands with questions, services, timers and poison: each is begun once, and in every cut open, answered or set aside. */
export const errands: ActorProgram = {
  kind: 'actors',
  name: 'errands',
  throws: true,
  start(host) {
    const { border, term, chance } = host;
    const office = new PostOffice(host);
    drive(host, {
      tick(n, rollbacks) {
        office.look();
        letSomeGo(chance);
        if (chance.below(4) === 0) visit(host);
        if (chance.below(8) === 0) resendOne(host);
        return border
          .tell<typeof Board>({ type: Board.name, key: 'only' })
          .tick(term, n, rollbacks, host.heavy && chance.isTrue(0.2), host.bulk, Math.ceil(host.tickMs()));
      },
      ask: (nonce) =>
        chance.isTrue(0.5)
          ? border.ask(Workshop).make(nonce, 'now')
          : border.ask<typeof Clerk>(clerk(chance.below(CLERKS))).read(nonce),
    });
  },
  check(parts) {
    const handedOut = checkGate(parts, Board.name);
    const clerks = unitsOf(parts, Clerk.name);
    const moving = messagesTo(parts, Clerk.name, 'errand').length;
    const begun = checkClerks(clerks, messagesTo(parts, Clerk.name, 'answered'));
    const poisoned = lettersOf(clerks, 'errand').length;
    if (begun + moving + poisoned !== handedOut) {
      throw new Error(
        `${handedOut} errands were handed out: ${begun} begun, ${moving} on their way, ${poisoned} set aside`,
      );
    }
    checkVaults(parts, clerks);
    checkParcels(parts, Clerk.name);
  },
  ticksIn: (parts) => ticksIn(parts, Board.name),
  open(parts) {
    return unitsOf(parts, Clerk.name)
      .filter(({ table }) => table === '~calls')
      .map(({ value }) => (value as { readonly bound: readonly number[] }).bound[0]);
  },
};

function clerk(key: number): Ref<typeof Clerk> {
  return { type: Clerk.name, key: String(key) };
}

/** Asks with a request id, sometimes what was asked before: the answer is the same, whoever gave it. */
function visit(host: ProgramHost): void {
  const { border, chance } = host;
  const known = [...told.keys()];
  const nonce = known.length > 0 && chance.isTrue(0.5) ? chance.pick(known) : 1 + chance.below(1_000_000_000);
  border
    .ask<typeof Clerk>(clerk(nonce % CLERKS), { requestId: `visit ${nonce}`, release: 'after-checkpoint' })
    .visit(nonce)
    .then(
      (answer) => {
        const before = told.get(nonce) ?? answer;
        told.set(nonce, before);
        if (answer !== before) host.violation(`visit ${nonce} was answered with ${answer}, and before with ${before}`);
      },
      // Late, or the system ended.
      () => undefined,
    );
}

/** Sends a message again that was set aside. */
function resendOne({ engine, border, chance }: ProgramHost): void {
  engine.letters().then(
    (letters) => {
      if (letters.length === 0) return;
      const { actor: at, id } = chance.pick(letters);
      border.askOwn(at, RESEND, id).catch(() => undefined);
    },
    () => undefined,
  );
}

/**
 * Every errand that was begun is answered, open, set aside with its answer, or on its way from there; answers how many were begun.
 */
function checkClerks(units: readonly Unit[], again: readonly Envelope[]): number {
  let all = 0;
  for (const { key, value } of units.filter(({ table }) => table === '')) {
    const { begun, done, keepsake, wrong } = value as ClerkState;
    if (!holds({ id: Number(key), bytes: keepsake, rest: null }, 0))
      throw new Error(`clerk ${key} has lost its keepsake`);
    if (wrong !== '') throw new Error(`clerk ${key}: ${wrong}`);
    const own = units.filter((unit) => unit.key === key);
    const open = own.filter(({ table }) => table === '~calls').map(({ value: call }) => idIn((call as Row).bound));
    const timers = own
      .filter(({ table, value: timer }) => table === '~timers' && (timer as Row).into === 'rung')
      .map(({ value: timer }) => idIn((timer as Row).args));
    const aside = lettersOf(own, 'answered').map(({ args }) => args[1] as number);
    const sent = again.filter((message) => message.key === key).map(({ args }) => args[1] as number);
    const found = [...done, ...open, ...timers, ...aside, ...sent].sort((a, b) => a - b);
    const expected = [...begun].sort((a, b) => a - b);
    if (found.join() !== expected.join()) {
      throw new Error(
        `clerk ${key} has begun ${expected.join()}; done, open, waiting or set aside are ${found.join()}`,
      );
    }
    all += begun.length;
  }
  return all;
}

interface Row {
  readonly into: string;
  readonly bound: readonly unknown[];
  readonly args: readonly unknown[];
}

function idIn(args: readonly unknown[]): number {
  return args[0] as number;
}

interface LetterRow {
  readonly handler: string;
  readonly args: readonly unknown[];
  readonly message: string;
}

function lettersOf(units: readonly Unit[], handler: string): readonly LetterRow[] {
  const letters = units.filter(({ table }) => table === '~letters').map(({ value }) => value as LetterRow);
  const odd = letters.find(({ message }) => message !== 'poison');
  if (odd !== undefined) throw new Error(`a message '${odd.handler}' was set aside because of: ${odd.message}`);
  return letters.filter((letter) => letter.handler === handler);
}

/** What an actor asks for is done once: a request is on its way or was handled, and its answer is on its way as long as it is open. */
function checkVaults(parts: readonly PartContent[], clerks: readonly Unit[]): void {
  const lent = new Set<number>();
  for (const { key, value } of unitsOf(parts, Vault.name)) {
    const { lent: own, wrong } = value as { readonly lent: readonly number[]; readonly wrong: string };
    if (wrong !== '') throw new Error(`vault ${key}: ${wrong}`);
    for (const id of own) lent.add(id);
  }
  const asked = new Set(messagesTo(parts, Vault.name, 'lend').map(({ args }) => args[0] as number));
  const replies = new Map<string, number>();
  for (const { args } of messagesTo(parts, Clerk.name, REPLY)) {
    const call = args[0] as string;
    replies.set(call, (replies.get(call) ?? 0) + 1);
  }
  for (const { table, tableKey, value } of clerks) {
    if (table !== '~calls' || (value as { readonly to: unknown }).to === null) continue;
    const id = idIn((value as Row).bound);
    const answers = replies.get(String(tableKey)) ?? 0;
    if (answers > 1) throw new Error(`call ${String(tableKey)} of errand ${id} has ${answers} answers`);
    if (asked.has(id) === lent.has(id) || lent.has(id) !== (answers === 1)) {
      throw new Error(
        `errand ${id} is open: its request is ${asked.has(id) ? '' : 'not '}on its way, it was ${lent.has(id) ? '' : 'not '}handled, and has ${answers} answers`,
      );
    }
  }
}

function mixed(n: number): number {
  return ((Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) >>> 3) ^ 0x2f5a) >>> 0;
}
