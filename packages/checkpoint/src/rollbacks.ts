import { ActorError, assertNever, type Clock } from '@tidemark/actors/internal';
import { CheckpointError, toError } from './errors.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, HALT_MS, ROLLBACKS_MAX } from './limits.ts';
import { type RecoveryEffect, type RecoveryEvent, recoveryStep, type RecoveryState } from './recovery-step.ts';

/** Why a generation ended, and how long the system stood still. */
export interface RolledBack {
  readonly cause: Error;
  readonly durationMs: number;
}

export interface RollbacksOptions {
  readonly workers: number;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Stops what runs: the host at once, workers and generator answer with `halted` and `settled`. */
  readonly halt: (generation: number, reason: Error) => void;
  readonly endThread: (thread: number) => void;
  /** Loads the checkpoint into a new generation. */
  readonly restore: (generation: number) => Promise<void>;
  readonly go: (generation: number, back: RolledBack | null) => void;
  /** The restore has failed: `hurt`, or the end. */
  readonly failed: (error: Error) => void;
  readonly end: (error: Error) => void;
}

/**
 * Recovery inside the process: the shell around `recoveryStep`. It turns what happens into events and effects into calls.
 *
 * Owns which generation there is, and the waits in between. Invariants: R1–R5 of SPEC.md.
 */
export class Rollbacks {
  readonly #options: RollbacksOptions;
  #state: RecoveryState = { phase: 'starting' };
  /** What ended the generation that ran last. */
  #cause: Error = new ActorError('SYSTEM_STOPPED', 'the system has stopped');
  /** What has gone wrong last, also while the next one was loaded. */
  #last: Error = this.#cause;
  #hurtAt = 0;
  #cancel: () => void = () => undefined;
  #resting: (() => void)[] = [];
  readonly #inbox: RecoveryEvent[] = [];
  #handling = false;

  constructor(options: RollbacksOptions) {
    this.#options = options;
  }

  /** Turns may run. */
  get isRunning(): boolean {
    return this.#state.phase === 'running';
  }

  /** One generation is over, and the next one does not run yet. */
  get isUnderWay(): boolean {
    return UNDER_WAY.has(this.#state.phase);
  }

  /** A restore of that generation is still wanted: nothing has come in between. */
  isRestoring(generation: number): boolean {
    return this.#state.phase === 'restoring' && this.#state.generation === generation;
  }

  ready(): void {
    this.#handle({ kind: 'ready' });
  }

  hurt(cause: Error): void {
    this.#hurt(cause, { kind: 'hurt' });
  }

  lost(thread: number, cause: Error): void {
    this.#hurt(cause, { kind: 'lost', thread });
  }

  halted(thread: number, generation: number): void {
    if ('generation' in this.#state && this.#state.generation === generation) this.#handle({ kind: 'halted', thread });
  }

  settled(): void {
    this.#handle({ kind: 'settled' });
  }

  published(): void {
    this.#handle({ kind: 'published' });
  }

  over(): void {
    this.#handle({ kind: 'over' });
    this.#cancel();
  }

  /** Resolves when no rollback is under way; null when there is none now. */
  rest(): Promise<void> | null {
    return this.isUnderWay ? this.#rest() : null;
  }

  /** What those hear who waited for something that is undone. */
  reason(): ActorError {
    const message = `the system goes back to its last checkpoint, and this was not in it: ${this.#cause.message}`;
    return new ActorError('ROLLED_BACK', message, { cause: this.#cause });
  }

  async #rest(): Promise<void> {
    while (this.isUnderWay) await new Promise<void>((resolve) => this.#resting.push(resolve));
  }

  #hurt(cause: Error, event: RecoveryEvent): void {
    // The first one is the reason; what it brings with it is not.
    const { phase } = this.#state;
    if (CAN_HURT.has(phase)) this.#last = cause;
    if (phase === 'running') {
      this.#cause = cause;
      this.#hurtAt = this.#options.clock.monotonic();
    }
    this.#handle(event);
  }

  #handle(event: RecoveryEvent): void {
    // Effects cause events: one at a time, in order.
    this.#inbox.push(event);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const { state, effects } = recoveryStep(this.#state, next, this.#options.workers);
      this.#state = state;
      try {
        for (const effect of effects) this.#perform(effect);
      } catch (error) {
        // Carried out by half: nothing that follows could be trusted.
        this.#state = { phase: 'ended' };
        this.#options.end(toError(error));
      }
    }
    this.#handling = false;
    for (const look of this.#resting.splice(0)) look();
  }

  #perform(effect: RecoveryEffect): void {
    const { clock, random } = this.#options;
    switch (effect.kind) {
      case 'halt':
        this.#cancel();
        this.#cancel = clock.after(HALT_MS, () => this.#handle({ kind: 'silent' }));
        this.#options.halt(effect.generation, this.reason());
        return;
      case 'end-threads':
        for (const thread of effect.threads) this.#options.endThread(thread);
        return;
      case 'wait':
        this.#cancel();
        this.#cancel = () => undefined;
        if (effect.rollbacks === 0) this.#handle({ kind: 'due' });
        else this.#cancel = clock.after(backoffMs(effect.rollbacks, random()), () => this.#handle({ kind: 'due' }));
        return;
      case 'restore':
        this.#restore(effect.generation);
        return;
      case 'go':
        this.#options.go(effect.generation, effect.generation === 1 ? null : this.#rolledBack());
        return;
      case 'end':
        this.#cancel();
        this.#options.end(effect.why === 'spent' ? spent(this.#last) : this.#last);
        return;
      default:
        assertNever(effect);
    }
  }

  #restore(generation: number): void {
    this.#options.restore(generation).then(
      () => {
        if (this.isRestoring(generation)) this.#handle({ kind: 'ready' });
      },
      (error: unknown) => {
        if (this.isRestoring(generation)) this.#options.failed(toError(error));
      },
    );
  }

  #rolledBack(): RolledBack {
    const ms = this.#options.clock.monotonic() - this.#hurtAt;
    return { cause: this.#cause, durationMs: Math.round(ms * 10) / 10 };
  }
}

const UNDER_WAY: ReadonlySet<RecoveryState['phase']> = new Set(['settling', 'waiting', 'restoring']);
const CAN_HURT: ReadonlySet<RecoveryState['phase']> = new Set(['starting', 'running', 'restoring']);

/** Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015). */
function backoffMs(rollbacks: number, random: number): number {
  return Math.round(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (rollbacks - 1)));
}

function spent(cause: Error): CheckpointError {
  return new CheckpointError(
    'ROLLBACKS_SPENT',
    `the system went back ${ROLLBACKS_MAX} times without getting as far as a new checkpoint. The last error was: ${cause.message}`,
    { cause },
  );
}
