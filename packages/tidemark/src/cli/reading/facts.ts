import type { PinNote } from '@tidemark/checkpoint/internal';
import { padEnd, plain, widest } from '../padding.ts';

/** Names and what they are, one a line; a fact that is null is left out. */
export function factsText(facts: readonly (readonly [string, string | null])[]): string {
  const told = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = widest(told.map(([name]) => name));
  return told.map(([name, text]) => `${padEnd(name, width)}  ${plain(text)}`).join('\n');
}

/** How long ago something was, in one unit. */
export function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Milliseconds of something fast. */
export function msText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${Math.round(ms)} ms`;
}

/** A time as people compare it: to the second, in UTC. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

/** Why a checkpoint stays; empty without a reason. */
export function pinText(pin: PinNote | null): string {
  if (pin === null) return '';
  if (pin.by === 'retention') return 'kept';
  return pin.label === null ? 'pinned' : `pinned '${pin.label}'`;
}
