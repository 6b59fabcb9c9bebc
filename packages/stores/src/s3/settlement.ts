import { StoreError } from '../errors.ts';

/**
 * Decides what became of an object that must be stored once, on a way on which replies are lost.
 *
 * The object carries an id that nobody else knows (its put id), so that whoever reads it back sees whether it is ours. All
 * attempts of one put carry the same id and the same bytes, and the server stores only under a name that is free. So it does
 * not matter which of the attempts took effect, nor when.
 *
 * Invariants:
 * - P1 `stored` only after the server said so, or showed our id under the name.
 * - P2 `taken` only after the server showed somebody else's id under the name.
 * - P3 An error that is not of kind `lost` only when no attempt can take effect any more, and none did (or somebody deleted the
 *   object while its put was under way, which nobody does to names that he did not see).
 * - P4 No attempt follows after the server refused one and showed nobody under the name: the object may have been ours, and
 *   who deleted it must not see it come back.
 */
export async function settle({ attempt, holder, again, lost, vanished }: Settling): Promise<'stored' | 'taken'> {
  let doubt: StoreError | undefined;
  for (;;) {
    const tried = await attempt();
    if (tried.outcome === 'stored') return 'stored';
    if (tried.outcome === 'nothing-done' && doubt === undefined) throw tried.error;
    if (tried.outcome === 'unanswered') doubt = tried.error;
    if (tried.outcome !== 'refused' && tried.error.code === 'STORE_ABORTED') throw lost(tried.error);

    const found = await holder();
    if (found === 'ours') return 'stored';
    if (found === 'other') return 'taken';
    if (found instanceof StoreError) throw lost(doubt ?? found);
    if (doubt === undefined) throw tried.outcome === 'refused' ? vanished() : tried.error;
    if (tried.outcome === 'refused' || !(await again(doubt))) throw lost(doubt);
  }
}

/** What one request that would store the object came to. */
export type Attempt =
  | { readonly outcome: 'stored' }
  /** The name is taken, as it is after an earlier attempt of ours too. */
  | { readonly outcome: 'refused' }
  /**
   * `nothing-done`: surely it has no effect. `answered`: it failed, it is over, and it may have had an effect. `unanswered`:
   * it may have an effect, also later.
   */
  | { readonly outcome: 'nothing-done' | 'answered' | 'unanswered'; readonly error: StoreError };

/** Whose object the server shows under the name; an error when it could not be asked. */
export type Holder = 'ours' | 'other' | 'nobody' | StoreError;

export interface Settling {
  readonly attempt: () => Promise<Attempt>;
  readonly holder: () => Promise<Holder>;
  /** Waits before another attempt; false when there is to be none. */
  readonly again: (because: StoreError) => Promise<boolean>;
  readonly lost: (because: StoreError) => StoreError;
  /** The object that was in the way is gone: nothing was done. */
  readonly vanished: () => StoreError;
}
