import type { ProgramHost } from './program.ts';

/** What a host does, over and over. */
export interface Drive {
  /** @param told rollbacks so far */
  readonly tick: (n: number, told: number) => Promise<void>;
  /** Sends the nonce somewhere and answers what comes back. */
  readonly ask: (nonce: number) => Promise<number>;
}

/** Every so many ticks on the average. */
const TICKS_PER_ASK = 6;
const FIRST_ASKS = 4;
const TICKS_PER_CHECKPOINT = 25;

/** Ticks, asks and wants checkpoints, until the system is over. */
export function drive(host: ProgramHost, what: Drive): void {
  const { engine, clock, chance, tickMs, rollbacks } = host;
  let ticks = 0;
  /** Rollbacks before the newest tick. */
  let toldIn = 0;
  const again = (): void => {
    clock.after(tickMs() * (0.5 + chance.fraction()), () => {
      if (engine.over) return;
      // That the system ended meanwhile is told elsewhere.
      toldIn = rollbacks();
      what.tick(ticks++, toldIn).catch(() => undefined);
      if (chance.below(TICKS_PER_ASK) === 0) ask(host, what);
      if (chance.below(TICKS_PER_CHECKPOINT) === 0) checkpoint(host, ticks, toldIn);
      again();
    });
  };
  // At once, as an app would that wants to know where it stands.
  for (let i = 0; i < FIRST_ASKS; i++) ask(host, what);
  if (chance.isTrue(0.5)) checkpoint(host, ticks, toldIn);
  again();
}

function ask(host: ProgramHost, what: Drive): void {
  const nonce = host.term * 1_000_000 + host.chance.below(1_000_000);
  what.ask(nonce).then(
    (answer) => {
      if (answer !== nonce) host.violation(`an ask with ${nonce} was answered with ${answer}`);
    },
    // Late, or the system ended.
    () => undefined,
  );
}

/** @param toldIn rollbacks before the newest of so many ticks: a later one undoes some, and no checkpoint owes them */
function checkpoint(host: ProgramHost, ticks: number, toldIn: number): void {
  if (host.rollbacks() !== toldIn) return;
  host.engine.checkpoint().then(
    ({ position }) => host.acknowledged(ticks, position),
    // The attempt failed, and the observer was told.
    () => undefined,
  );
}
