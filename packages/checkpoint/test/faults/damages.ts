import { encodeBoundary, decodeBoundary } from '@tidemark/checkpoint/internal';
import type { Chance } from '@tidemark/actors/testing/internal';
import type { Damage } from './damaged-store.ts';
import { bytesOf, type History } from './history.ts';

/** One way to damage a store. Made when it is asked for: a list of all would hold gigabytes. */
export interface Corruption {
  readonly kind: 'bit' | 'cut short' | 'longer' | 'zero page' | 'swapped' | 'stale' | 'missing' | 'empty';
  readonly what: string;
  readonly damage: () => Damage;
}

const RANDOM_BITS = 2_000;
const RANDOM_CUTS = 1_000;
const RANDOM_TAILS = 300;
const RANDOM_PAGES = 300;
const PAGE_BYTES = 4096;

/** Every bit of a record of each kind and of the boundary; and of the rest what chance chooses. */
export function corruptionsOf(history: History, chance: Chance): readonly Corruption[] {
  return [
    ...everyBit(history),
    ...randomBits(history, chance),
    ...changedLengths(history, chance),
    ...zeroPages(history, chance),
    ...swaps(history),
    ...stale(history),
    ...gone(history),
  ];
}

function everyBit(history: History): Corruption[] {
  const { term, inline, withFile } = history.kinds;
  return [term, inline, withFile, history.boundary].flatMap((name) =>
    Array.from({ length: bytesOf(history, name).length * 8 }, (_, bit) => flip(history, name, bit)),
  );
}

function randomBits(history: History, chance: Chance): Corruption[] {
  return times(RANDOM_BITS, () => {
    const name = chance.pick(history.parts);
    return flip(history, name, chance.below(bytesOf(history, name).length * 8));
  });
}

function flip(history: History, name: string, bit: number): Corruption {
  return one('bit', name, `bit ${bit}`, () => {
    const bytes = bytesOf(history, name).slice();
    bytes[bit >> 3] ^= 1 << (bit & 7);
    return bytes;
  });
}

function changedLengths(history: History, chance: Chance): Corruption[] {
  const names = [...history.objects.keys()];
  const cuts = times(RANDOM_CUTS, () => {
    const name = chance.pick(names);
    const length = chance.below(bytesOf(history, name).length);
    return one('cut short', name, `to ${length}`, () => bytesOf(history, name).slice(0, length));
  });
  const tails = times(RANDOM_TAILS, () => {
    const name = chance.pick(names);
    const tail = Array.from({ length: 1 + chance.below(70) }, () => chance.below(256));
    return one('longer', name, `by ${tail.length}`, () => Uint8Array.from([...bytesOf(history, name), ...tail]));
  });
  return [...cuts, ...tails];
}

/** As a disk gives back what was never written. */
function zeroPages(history: History, chance: Chance): Corruption[] {
  return times(RANDOM_PAGES, () => {
    const name = chance.pick([...history.objects.keys()]);
    const page = chance.below(Math.ceil(bytesOf(history, name).length / PAGE_BYTES));
    return one('zero page', name, `page ${page}`, () =>
      bytesOf(history, name)
        .slice()
        .fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES),
    );
  });
}

function swaps(history: History): Corruption[] {
  const names = [...history.objects.keys()];
  return names.flatMap((a, i) =>
    names.slice(i + 1).map((b): Corruption => {
      const damage = () =>
        new Map([
          [a, bytesOf(history, b)],
          [b, bytesOf(history, a)],
        ]);
      return { kind: 'swapped', what: `${a} and ${b}`, damage };
    }),
  );
}

/** An older version in the place of a newer one. */
function stale(history: History): Corruption[] {
  const olderThan = (names: readonly string[]): Corruption[] =>
    names.flatMap((newer, i) =>
      names.slice(0, i).map((older) => one('stale', newer, `is ${older}`, () => bytesOf(history, older))),
    );
  return [...olderThan(history.records), ...olderThan(history.parts), staleBoundary(history)];
}

function staleBoundary(history: History): Corruption {
  const name = history.boundary;
  return one('stale', name, 'is the one before', () => {
    const boundary = decodeBoundary(bytesOf(history, name), name);
    return encodeBoundary({ ...boundary, position: boundary.position - 1, cut: boundary.cut - 1 });
  });
}

function gone(history: History): Corruption[] {
  return [...history.objects.keys()].flatMap((name) => [
    { kind: 'missing', what: name, damage: () => new Map([[name, null]]) } as const,
    one('empty', name, '', () => new Uint8Array()),
  ]);
}

function one(kind: Corruption['kind'], name: string, how: string, bytes: () => Uint8Array): Corruption {
  return { kind, what: `${name} ${how}`, damage: () => new Map([[name, bytes()]]) };
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
