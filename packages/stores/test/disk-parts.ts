import type { FileSystem, FolderParts } from '@tidemark/stores/internal';

/** Parts for a store on `fileSystem` whose temp names are `t1`, `t2`, …; `run` keeps two openers of one disk apart. */
export function partsOn(fileSystem: FileSystem, run = 't'): FolderParts {
  let made = 0;
  return { fileSystem, uniqueName: () => `${run}${++made}` };
}

/** Coin flips that repeat for a seed (mulberry32). */
export function coin(seed: number): () => boolean {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) & 1) === 1;
  };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
