import type { ActorErrorCode } from '@tidemark/actors';
import type { CheckpointErrorCode } from '@tidemark/checkpoint';
import type { StoreErrorCode } from '@tidemark/stores';

/** What a command has found: for people, for scripts, and how it ends. */
export interface Answer {
  /** Stdout for people. */
  readonly text: string;
  /** Stdout for `--json`: one object. */
  readonly json: object;
  /** Stderr, in both forms: what must not be overlooked. */
  readonly warnings: readonly (string | { readonly code: string; readonly message: string })[];
  /** What those without a code of their own are, and what the status tells; null when all is well. */
  readonly code: CheckpointErrorCode | ActorErrorCode | StoreErrorCode | null;
}

/** Pieces of a text with an empty line between them; those without anything are left out. */
export function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
