import type { DeadLetter } from '@tidemark/actors';
import { type Border, DISCARD, RESEND } from '@tidemark/actors/internal';
import type { Engine } from './engine.ts';

/** What stands in the way of a message that was set aside: its actor, and its id. */
type LetterName = Pick<DeadLetter, 'actor' | 'id'>;

/**
 * Messages whose turns threw after their actor had thrown before. They are data of their actors, so each stays until it is sent again
 * or given up, also over restarts.
 *
 * @example
 * for (const letter of await system.deadLetters.list()) {
 *   if (letter.code === 'PRICE_UNKNOWN') await system.deadLetters.resend(letter);
 * }
 */
export class DeadLetters {
  readonly #engine: Engine;
  readonly #border: Border;

  constructor(engine: Engine, border: Border) {
    this.#engine = engine;
    this.#border = border;
  }

  /** All of them; throws `ROLLED_BACK` while the system goes back to its last checkpoint. */
  list(): Promise<readonly DeadLetter[]> {
    return this.#engine.letters();
  }

  /** Sends the message to its actor once more. Answers whether the letter was there. */
  resend({ actor, id }: LetterName): Promise<boolean> {
    return this.#border.askOwn(actor, RESEND, id);
  }

  /** Gives the message up. Answers whether the letter was there. */
  discard({ actor, id }: LetterName): Promise<boolean> {
    return this.#border.askOwn(actor, DISCARD, id);
  }
}
