import { StoreError, type Store } from '@tidemark/stores';
import type { CheckpointError } from './errors.ts';
import { damageOf } from './damage.ts';
import { decodeSealed, encodeSealed } from './sealed.ts';

/**
 * Says that a checkpoint stays, wherever the boundary is. A person's pin and retention's own have the same
 * form and other names.
 */
export interface Pin {
  /** Of a checkpoint record, as in the name. */
  readonly position: number;
  /** sha256 of that record's bytes: below the boundary no successor says it. */
  readonly hash: string;
  readonly term: number;
  readonly cut: number;
  /** When that record was put; ISO 8601. */
  readonly takenAt: string;
  /** When this pin was put; ISO 8601. */
  readonly createdAt: string;
  /** What people call it; null where nobody gave a name. */
  readonly label: string | null;
  /** The wish that it fulfils; null without one. */
  readonly wish: string | null;
}

/** Which checkpoints stay below the boundary, as the names of a listing tell. */
export interface Marks {
  /** Pinned by people. */
  readonly pinned: ReadonlySet<number>;
  /** Kept by retention: for an hour, a day or a week, or as a spare. */
  readonly kept: ReadonlySet<number>;
  /** Of `kept`: a pass has begun to give them up. */
  readonly ending: ReadonlySet<number>;
}

const NAME = /\/pin\/(\d{20})(-kept|-ends|)$/;

export function pinName(job: string, position: number): string {
  return `${job}/pin/${String(position).padStart(20, '0')}`;
}

/** Of retention's own pin. */
export function keptName(job: string, position: number): string {
  return `${pinName(job, position)}-kept`;
}

/** Put before retention gives up what it kept: from then on its own pin protects nothing (C32). */
export function endsName(job: string, position: number): string {
  return `${pinName(job, position)}-ends`;
}

/** A failed listing is an error, never "none". */
export async function listMarks(store: Store, job: string): Promise<Marks> {
  const found = { '': new Set<number>(), '-kept': new Set<number>(), '-ends': new Set<number>() };
  for (const name of await store.list(`${job}/pin/`)) {
    const [, position, kind] = NAME.exec(name) ?? [];
    if (position !== undefined) found[kind as keyof typeof found].add(Number(position));
  }
  return { pinned: found[''], kept: found['-kept'], ending: found['-ends'] };
}

/** Whether retention leaves a checkpoint below the boundary where it is. */
export function isMarked({ pinned, kept, ending }: Marks, position: number): boolean {
  return pinned.has(position) || (kept.has(position) && !ending.has(position));
}

/** Positions that stay below the boundary, ascending. */
export function markedPositions(marks: Marks): readonly number[] {
  const all = new Set([...marks.pinned, ...marks.kept]);
  return [...all].filter((position) => isMarked(marks, position)).sort((a, b) => a - b);
}

export function encodePin(pin: Pin): Uint8Array {
  return encodeSealed(pin);
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` */
export function decodePin(bytes: Uint8Array, name: string): Pin {
  return decodeSealed(bytes, name) as Pin;
}

/** A pin that was found, or what is wrong with it; null when there is none. */
export type FoundPin = { readonly pin: Pin } | { readonly error: CheckpointError } | null;

export async function readPin(store: Store, name: string): Promise<FoundPin> {
  try {
    return { pin: decodePin(await store.get(name), name) };
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'absent') return null;
    return { error: damageOf(error, name) };
  }
}

/** The pin that vouches for a marked position: the person's one first. */
export async function pinAt(store: Store, job: string, position: number): Promise<FoundPin> {
  return (await readPin(store, pinName(job, position))) ?? (await readPin(store, keptName(job, position)));
}
