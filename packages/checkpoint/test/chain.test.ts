import { actor, type Table, table } from '@tidemark/actors';
import { captureEach, type CaptureSink, decodeValue, type UnitData, UnitList } from '@tidemark/actors/internal';
import {
  Chain,
  limits,
  mergeFiles,
  type NextFile,
  PartLoader,
  type PartFileContent,
  readPart,
} from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Threads } from '../../actors/test/support/threads.ts';
import { writePart } from './support/parts.ts';

interface Shelf {
  n: number;
  readonly rows: Table<string, { n: number }>;
}

const Shelf = actor('chain-shelf', {
  place: 'host',
  state: (): Shelf => ({ n: 0, rows: table() }),
  on: {
    add: (ctx, by: number): void => void (ctx.state.n += by),
    set: (ctx, row: string, n: number): void => ctx.state.rows.set(row, { n }),
    raise: (ctx, row: string, by: number): void =>
      ctx.state.rows.update(
        row,
        (value) => void (value.n += by),
        () => ({ n: 0 }),
      ),
    take: (ctx, row: string): void => void ctx.state.rows.delete(row),
    clear: (ctx): void => ctx.forget(),
  },
});

type Model = Map<string, { n: number; rows: Map<string, number> }>;

type Act =
  | { readonly kind: 'add'; readonly key: string; readonly n: number }
  | { readonly kind: 'clear'; readonly key: string; readonly n: number }
  | { readonly kind: 'set' | 'raise' | 'take'; readonly key: string; readonly row: string; readonly n: number };
type Step =
  | Act
  | { readonly kind: 'flip' }
  | { readonly kind: 'capture'; readonly n: number }
  | { readonly kind: 'finish'; readonly published: boolean };

const key = fc.constantFrom('a', 'b', 'c');
const row = fc.constantFrom('p', 'q', 'r', 's');
const n = fc.integer({ min: 1, max: 9 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), key, n }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), key, n }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('set' as const, 'raise' as const, 'take' as const), key, row, n }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'flip' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('capture' as const), n: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      published: fc.integer({ min: 0, max: 3 }).map((number) => number > 0),
    }),
  },
);

/** One thread whose cuts the test takes by hand, and a model of what it holds. */
class Bench {
  readonly model: Model = new Map();
  readonly lengths: number[] = [];
  deltas = 0;
  readonly #threads = new Threads(1).go();
  readonly #chain = new Chain(0, 1, 0);
  #files: { readonly cut: number; readonly content: PartFileContent }[] = [];
  #cut = 0;
  #published = 0;
  #open: { readonly file: NextFile; readonly atFlip: Model; readonly part: OpenPart } | null = null;

  act(step: Act): void {
    const to = this.#threads.tell(Shelf, step.key);
    const of = this.model.get(step.key) ?? { n: 0, rows: new Map<string, number>() };
    this.model.set(step.key, of);
    if (step.kind === 'add') {
      void to.add(step.n);
      of.n += step.n;
    } else if (step.kind === 'clear') {
      void to.clear();
      this.model.delete(step.key);
    } else if (step.kind === 'set') {
      void to.set(step.row, step.n);
      of.rows.set(step.row, step.n);
    } else if (step.kind === 'raise') {
      void to.raise(step.row, step.n);
      of.rows.set(step.row, (of.rows.get(step.row) ?? 0) + step.n);
    } else {
      void to.take(step.row);
      of.rows.delete(step.row);
    }
    this.#threads.run();
  }

  flip(): void {
    const { cut } = this.#threads.host;
    if (this.#open !== null) cut.end();
    const file = this.#chain.next(this.#published, cut.changed);
    this.#open = { file, atFlip: structuredClone(this.model), part: new OpenPart(this.#threads, ++this.#cut, file) };
  }

  capture(steps: number): void {
    this.#open?.part.capture(steps);
  }

  finish(published: boolean): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const { bytes, counts } = open.part.finish();
    this.#chain.done(this.#cut, open.file, counts, this.#threads.host.cut.end());
    const below = this.#files.filter((file) => file.cut <= open.file.base);
    const files = [...below, { cut: this.#cut, content: readPart(bytes) }];
    expect(below.at(-1)?.cut ?? 0).toBe(open.file.base);
    expect(modelOf(mergeFiles(files.map(({ content }) => content)).units)).toEqual(open.atFlip);
    expect(modelOf(loadedUnits(files.map(({ content }) => content)))).toEqual(open.atFlip);
    this.lengths.push(files.length);
    if (files.length > 1) this.deltas++;
    if (!published) return;
    this.#published = this.#cut;
    this.#files = files;
  }
}

/** A part that is captured step by step. */
class OpenPart {
  readonly finish: () => {
    readonly bytes: Uint8Array;
    readonly counts: { readonly bytes: number; readonly units: number };
  };
  #rest: Generator<void, void, void> = [].values() as unknown as Generator<void, void, void>;

  constructor(threads: Threads, cut: number, file: NextFile) {
    const { host } = threads;
    const written: ((writer: Parameters<Parameters<typeof writePart>[0]>[0]) => void)[] = [];
    host.cut.begin(cut, file.base, {
      ...NOTHING,
      unit: (type, of, name, tableKey, value) => {
        const own = structuredClone(value);
        written.push((writer) => writer.unit(type, of, name, tableKey, own));
      },
      gone: (...address) => written.push((writer) => writer.gone(...address)),
    });
    this.#rest = all([
      ...(file.base === 0
        ? [host.captureUnits()]
        : file.changed.flatMap(({ pieces }) => pieces.map((units) => captureEach(host.cut, units)))),
      host.cut.captureReplaced(),
    ]);
    this.finish = () => {
      this.capture(Number.POSITIVE_INFINITY);
      return writePart((writer) => written.forEach((write) => write(writer)), cut, file.base);
    };
  }

  capture(steps: number): void {
    for (let i = 0; i < steps && this.#rest.next().done !== true; i++);
  }
}

/** What a thread has that got the files back. */
function loadedUnits(files: readonly PartFileContent[]): readonly UnitData[] {
  const { host } = new Threads(1).go();
  const loader = new PartLoader(host);
  for (const { bytes } of files.toReversed()) loader.load(bytes);
  const { bytes } = writePart((writer) => {
    const { unit } = writer;
    host.cut.begin(1, 0, { ...NOTHING, unit: unit.bind(writer) });
    for (const _ of host.captureUnits());
  });
  return readPart(bytes).units;
}

const NOTHING: CaptureSink = {
  unit: () => undefined,
  gone: () => undefined,
  passing: () => undefined,
  mail: () => undefined,
  batch: () => undefined,
  settle: () => undefined,
};

function* all(captures: readonly Generator<void, void, void>[]): Generator<void, void, void> {
  for (const capture of captures) yield* capture;
}

function modelOf(units: readonly UnitData[]): Model {
  const model: Model = new Map();
  const twice = units.length - new Set(units.map((unit) => `${unit.key}/${unit.table}/${unit.tableKey}`)).size;
  expect(twice).toBe(0);
  for (const unit of units.filter(({ table: name }) => name === '')) {
    model.set(unit.key, { n: (decodeValue(unit.value) as Shelf).n, rows: new Map() });
  }
  for (const unit of units.filter(({ table: name }) => name !== '')) {
    const { rows } = model.get(unit.key)!;
    rows.set(String(unit.tableKey), (decodeValue(unit.value) as { n: number }).n);
  }
  return model;
}

describe('C22: the files of a part together are the state at the cut', () => {
  test('after any changes, deletions, attempts that came to nothing, and captures at any time', () => {
    let deltas = 0;
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 60, maxLength: 150, size: 'max' }), (steps) => {
        const bench = new Bench();
        // A state that is worth a chain: full files are not written again for a few changes.
        for (let i = 0; i < 40; i++) bench.act({ kind: 'set', key: 'd', row: `row-${i}`, n: i });
        for (const step of steps) {
          if (step.kind === 'flip') bench.flip();
          else if (step.kind === 'capture') bench.capture(step.n);
          else if (step.kind === 'finish') bench.finish(step.published);
          else bench.act(step);
        }
        bench.flip();
        bench.finish(true);
        deltas += bench.deltas;
      }),
      { numRuns: 200 },
    );
    expect(deltas).toBeGreaterThan(200);
  });

  test('where it is not known what has changed, all is written, until a file that holds all is published', () => {
    const chain = new Chain(0, 1, 0);
    const counts = { bytes: 1_000, units: 10 };
    const none = new UnitList();
    const cut = (number: number, published: number, changed: UnitList | null): number => {
      const file = chain.next(published, changed);
      chain.done(number, file, counts, none);
      return file.base;
    };
    expect(cut(1, 0, null)).toBe(0);
    expect(cut(2, 1, none)).toBe(1);
    // Too many to remember; and the attempt that would have had them all comes to nothing.
    expect(cut(3, 2, null)).toBe(0);
    expect(cut(4, 2, none)).toBe(0);
    expect(cut(5, 4, none)).toBe(4);
  });

  test('C23: no more than eight files, and no file that a record names later lies in a record', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.act({ kind: 'set', key: 'd', row: `row-${i}`, n: i });
    for (let i = 0; i < 3_000; i++) {
      bench.act({ kind: 'raise', key: 'd', row: `row-${i % 2}`, n: 1 });
      bench.flip();
      bench.finish(true);
    }
    expect(Math.max(...bench.lengths)).toBeLessThanOrEqual(8);
    expect(Math.max(...bench.lengths)).toBeGreaterThan(4);
    // A full file now and then, and a delta otherwise.
    const full = bench.lengths.filter((length) => length === 1).length;
    expect(full).toBeLessThanOrEqual(3_000 / (limits.CHAIN_FILES_PERIOD / 2));
  });
});
