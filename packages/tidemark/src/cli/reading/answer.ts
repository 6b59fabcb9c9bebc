/** What a command has found: for people, for scripts, and how it ends. */
export interface Answer {
  /** Stdout for people. */
  readonly text: string;
  /** Stdout for `--json`: one object. */
  readonly json: object;
  /** Stderr, in both forms: what must not be overlooked. */
  readonly warnings: readonly string[];
  /** What the warnings are, and what the status tells; null when all is well. */
  readonly code: 'CHECKPOINT_DAMAGED' | 'CHECKPOINT_INCOMPATIBLE' | 'STATE_UNCLAIMED' | null;
}

/** Pieces of a text with an empty line between them; those without anything are left out. */
export function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
