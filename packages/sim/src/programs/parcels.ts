import { actor, move, type Ref } from '@tidemark/actors';
import type { PartContent } from '@tidemark/checkpoint/internal';
import { unitsOf } from './contents.ts';
import {
  type Back,
  bytesOf,
  contentOf,
  depotFindings,
  DEPOTS,
  type DepotRun,
  type DepotWatcher,
  holds,
  type Parcel,
  type Raised,
  watchParcel,
} from './depot.ts';
import type { ProgramHost } from './program.ts';
import type { Way } from './workshop.ts';

const WAYS: readonly Way[] = ['now', 'now', 'later', 'later', 'fails', 'never'];
const HANGING: readonly Way[] = ['never', 'never', 'later'];
/** Looks, in a system that answers, after which an abort has surely come to the call that it is for. */
const ABORT_LOOKS = 20;
/** What an ask may end with, and whoever was asked has nothing to do with it. */
const ENDED = 'the system has ended';
const GIVEN_UP = 'nobody wants it any more';

/** Answers requests of the app in the app's own thread, where nothing is encoded on its way. */
const Porter = actor('sim.porter', {
  place: 'host',
  state: () => ({ stamped: [] as number[], wrong: '' }),
  on: {
    stamp(ctx, nonce: number): Uint8Array {
      if (ctx.state.stamped.includes(nonce)) ctx.state.wrong ||= `stamp ${nonce} was given twice`;
      ctx.state.stamped.push(nonce);
      return contentOf(nonce);
    },
  },
});

/** An ask with a parcel that is not settled yet. */
interface Sent extends DepotWatcher {
  readonly id: number;
  readonly moves: boolean;
  readonly back: Back;
  readonly way: Way;
  readonly place: string;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly timeoutMs: number;
  readonly runs: DepotRun[];
  /** Rollbacks until it was run last. */
  ranIn: number;
  aborted: boolean;
}

/**
 * Asks of one process to depots, with parcels that are moved or copied. What must hold:
 *
 * - a parcel comes with its bytes; one that was moved comes once at most, and its sender has none left as soon as it has asked;
 * - an answer has its bytes; where it was moved, the depot has none left, else all;
 * - an ask that was moved and has run is settled before the system runs again after it went back, and only then, or with its thread, interrupted;
 * - what is given up is aborted wherever it runs.
 */
export class PostOffice {
  readonly #host: ProgramHost;
  readonly #open = new Set<Sent>();
  /** Asks that were interrupted in a generation that had seen so many rollbacks: another one must come before anything is answered. */
  #interruptedIn = -1;
  /** Calls that nobody wants any more, with the looks since then. */
  readonly #givenUp = new Map<DepotRun, { looks: number; readonly rollbacks: number }>();
  /** Something was answered since the last look. */
  #answers = false;
  readonly #stamped: number[] = [];

  constructor(host: ProgramHost) {
    this.#host = host;
  }

  /** Between two ticks. */
  look(): void {
    const { chance } = this.#host;
    this.#report();
    this.#lookAtOpen();
    this.#lookAtGivenUp();
    if (chance.below(2) === 0) this.#send();
    if (chance.below(8) === 0) this.#stamp();
  }

  #report(): void {
    const { wrong, happened } = depotFindings();
    for (const what of wrong) this.#host.violation(what);
    for (const what of happened) this.#host.happened(what);
  }

  #lookAtOpen(): void {
    const rollbacks = this.#host.rollbacks();
    for (const { id, moves, ranIn } of this.#open) {
      if (!moves || ranIn < 0 || ranIn >= rollbacks) continue;
      this.#host.violation(`parcel ${id} was moved and has run, and its ask is still open after the system went back`);
    }
  }

  #lookAtGivenUp(): void {
    // Where nothing is answered the system may be on its way back.
    if (!this.#answers) return;
    this.#answers = false;
    const rollbacks = this.#host.rollbacks();
    for (const [run, given] of this.#givenUp) {
      if (run.over || run.signal.aborted || given.rollbacks !== rollbacks) this.#givenUp.delete(run);
      else if (++given.looks > ABORT_LOOKS) {
        this.#givenUp.delete(run);
        this.#host.violation(`parcel ${run.own.id} was given up, and the depot that has it does not hear of it`);
      }
    }
  }

  // ── asks ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(): void {
    const { border, chance, clock, engine, tickMs } = this.#host;
    const moves = chance.isTrue(0.7);
    const givesUpMs = chance.isTrue(0.3) ? tickMs() * chance.pick([0, 0, 0.3, 1]) : null;
    // One that ends by itself does not show whether it was aborted.
    const way = chance.pick(givesUpMs === 0 ? HANGING : WAYS);
    const back = chance.isTrue(0.6) ? 'moved' : 'copied';
    const depot = chance.pick(DEPOTS);
    const timeoutMs = way === 'never' || chance.isTrue(0.2) ? tickMs() * (1 + chance.below(6)) : 5_000;
    const stop = new AbortController();
    const release = chance.isTrue(0.1) ? 'after-checkpoint' : 'at-once';
    const runs: DepotRun[] = [];
    const sent: Sent = {
      id: watchParcel({ began: (run) => sent.began(run) }),
      moves,
      back,
      way,
      timeoutMs,
      runs,
      since: clock.monotonic(),
      place: depot.name,
      ranIn: -1,
      aborted: false,
      began: (run) => this.#began(sent, run),
    };
    const parcel = makeParcel(sent.id, chance.below(moves ? SHAPES + 1 : SHAPES));
    this.#open.add(sent);
    const asked = border.ask(depot, { timeoutMs, signal: stop.signal, release });
    const raised = asked.raise(moves ? marked(parcel) : parcel, way, back);
    if (moves ? !isGone(parcel) : !holds(parcel, 0)) {
      this.#host.violation(
        `parcel ${sent.id} was ${moves ? 'moved, and its sender has it' : 'copied, and its sender has it no more'}`,
      );
    }
    raised.then(
      (answer) => this.#answered(sent, answer),
      (error: unknown) => this.#failed(sent, error),
    );
    if (givesUpMs === null) return;
    const giveUp = (): void => {
      if (!this.#open.has(sent) || engine.over) return;
      sent.aborted = true;
      stop.abort(new Error(GIVEN_UP));
    };
    if (givesUpMs === 0) giveUp();
    else clock.after(givesUpMs, giveUp);
  }

  #began(sent: Sent, run: DepotRun): void {
    const { id, moves, runs } = sent;
    if (moves && runs.length > 0) this.#host.violation(`parcel ${id} was moved, and has come twice`);
    if (!moves && runs.length > 0) this.#host.happened('a copied parcel comes once more');
    runs.push(run);
    sent.ranIn = this.#host.rollbacks();
    if (!this.#open.has(sent)) this.#noteGivenUp(run);
  }

  #noteGivenUp(run: DepotRun): void {
    if (!run.over) this.#givenUp.set(run, { looks: 0, rollbacks: this.#host.rollbacks() });
  }

  #answered(sent: Sent, answer: Raised): void {
    const { id, runs, back, moves, place } = sent;
    this.#settled(sent, 'answered');
    this.#answers = true;
    if (this.#interruptedIn >= this.#host.rollbacks()) {
      this.#host.violation(`parcel ${id} is answered by a system in which another one was interrupted`);
    }
    const run = runs.find(({ number }) => number === answer.run);
    if (run === undefined || answer.id !== id || !holds(answer, 1)) {
      this.#host.violation(`parcel ${id} has come back from ${place} with other bytes`);
      return;
    }
    if (back === 'moved' ? !isGone(run.own) : !holds(run.own, 1) || shares(run.own, answer)) {
      this.#host.violation(
        `the answer with parcel ${id} was ${back}, and ${place} has it ${back === 'moved' ? 'still' : 'no more'}`,
      );
    }
    if (moves && runs.length !== 1)
      this.#host.violation(`parcel ${id} was moved and answered after ${runs.length} runs`);
  }

  #failed(sent: Sent, error: unknown): void {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    this.#settled(sent, code ?? message);
    if (code === 'ASK_TIMEOUT' || message === GIVEN_UP) {
      for (const run of sent.runs) this.#noteGivenUp(run);
    }
    if (code === 'SERVICE_INTERRUPTED') this.#interruptedIn = Math.max(this.#interruptedIn, this.#host.rollbacks());
    else if (!this.#mayFail(sent, code, message)) {
      this.#host.violation(`parcel ${sent.id} was refused by ${sent.place} with ${code ?? ''} ${message}`);
    }
  }

  #mayFail(sent: Sent, code: string | undefined, message: string): boolean {
    if (code === 'CLOSED') return sent.way === 'fails';
    if (code === 'ASK_TIMEOUT') return this.#host.clock.monotonic() - sent.since >= sent.timeoutMs;
    return message === GIVEN_UP ? sent.aborted : message === ENDED;
  }

  #settled(sent: Sent, how: string): void {
    this.#open.delete(sent);
    const { moves, back, place } = sent;
    if (how === ENDED) return;
    this.#host.happened(`${moves ? 'moved' : 'copied'} to ${place}: ${how}`);
    if (how === 'answered' && back === 'moved') this.#host.happened(`moved back from ${place}`);
  }

  // ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** What was answered to a request is answered again, whatever became of the bytes that were given out. */
  #stamp(): void {
    const { border, chance, term } = this.#host;
    const again = this.#stamped.length > 0 && chance.isTrue(0.6);
    const nonce = again ? chance.pick(this.#stamped) : term * 1_000 + chance.below(1_000);
    if (!again) this.#stamped.push(nonce);
    border
      .ask<typeof Porter>(porter, { requestId: `stamp ${nonce}` })
      .stamp(nonce)
      .then(
        (stamp) => {
          if (!holds({ id: nonce, bytes: stamp, rest: null }, 0))
            this.#host.violation(`stamp ${nonce} has other bytes`);
          // It is the app's own, to be given away.
          if (chance.isTrue(0.5)) stamp.fill(0);
          else structuredClone(stamp, { transfer: [stamp.buffer as ArrayBuffer] });
          if (again) this.#host.happened('a request was answered again with bytes');
        },
        ({ code, message }: { readonly code?: string; readonly message: string }) => {
          if (code === 'ASK_TIMEOUT' || message === ENDED) return;
          this.#host.violation(`stamp ${nonce} was refused with ${code ?? ''} ${message}`);
        },
      );
  }
}

const porter: Ref<typeof Porter> = { type: Porter.name, key: 'only' };

/** What was asked with bytes, and what was answered, is in every cut with these bytes. */
export function checkParcels(parts: readonly PartContent[], asking: string): void {
  for (const { key, table, value } of unitsOf(parts, asking)) {
    const { service, args } = value as { readonly service?: string | null; readonly args?: readonly unknown[] };
    if (table !== '~calls' || !DEPOTS.some(({ name }) => name === service)) continue;
    if (!holds(args![0] as Parcel, 0)) throw new Error(`a question of ${key} has other bytes than it asked with`);
  }
  for (const { table, tableKey, value } of unitsOf(parts, Porter.name)) {
    if (table === '') {
      const { wrong } = value as { readonly wrong: string };
      if (wrong !== '') throw new Error(`the porter: ${wrong}`);
    }
    if (table !== '~requests') continue;
    const id = Number(String(tableKey).split(' ')[1]);
    const { answer } = value as { readonly answer: { readonly value: Uint8Array } };
    if (!holds({ id, bytes: answer.value, rest: null }, 0))
      throw new Error(`the answer to ${tableKey} has other bytes`);
  }
}

// ── parcels ────────────────────────────────────────────────────────────────────────────────────────────────────

/** And a Buffer, which can only be moved. */
const SHAPES = 5;
const MARGIN = 3;

/** Whole buffers, views of larger ones, two views of one. */
function makeParcel(id: number, shape: number): Parcel & { readonly half: boolean } {
  const content = contentOf(id);
  const { length } = content;
  const middle = length >> 1;
  const around = new Uint8Array(length + 2 * MARGIN);
  around.set(content, MARGIN);
  const whole = { id, bytes: content, rest: null, half: false };
  switch (shape) {
    case 0:
      return { ...whole, bytes: content.buffer as ArrayBuffer };
    case 1:
      return { ...whole, bytes: around.subarray(MARGIN, MARGIN + length) };
    case SHAPES:
      return { ...whole, bytes: Buffer.from(content.buffer) };
    case 3:
    case 4:
      return { id, bytes: content.subarray(0, middle), rest: content.subarray(middle), half: shape === 4 };
    default:
      return whole;
  }
}

/** One view that is marked takes the other one's buffer along. */
function marked({ id, bytes, rest, half }: ReturnType<typeof makeParcel>): Parcel {
  return { id, bytes: move(bytes), rest: rest === null || half ? rest : move(rest) };
}

function isGone({ bytes, rest }: Parcel): boolean {
  return bytes.byteLength === 0 && (rest === null || rest.byteLength === 0);
}

function shares(one: Parcel, other: Parcel): boolean {
  return bytesOf(one.bytes).buffer === bytesOf(other.bytes).buffer;
}
