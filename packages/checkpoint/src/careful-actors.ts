import { type ActorAddress, limits } from '@tidemark/actors/internal';

/**
 * Actors whose turns have thrown: in the next generations each turn of theirs can be undone, until enough checkpoints were published
 * without a throw. Known to this process only: a new one learns of them by one rollback each.
 */
export class CarefulActors {
  /** By actor: checkpoints published since. */
  readonly #published = new Map<string, { readonly actor: ActorAddress; count: number }>();

  get all(): readonly ActorAddress[] {
    return [...this.#published.values()].map(({ actor }) => actor);
  }

  /** A turn of it has thrown. */
  threw(actor: ActorAddress): void {
    this.#published.set(`${actor.type}\0${actor.key}`, { actor, count: 0 });
  }

  published(): void {
    for (const [id, entry] of this.#published) {
      if (++entry.count >= limits.CAREFUL_CHECKPOINTS) this.#published.delete(id);
    }
  }
}
