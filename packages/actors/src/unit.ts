import { CHANGED_UNITS_MAX } from './limits.ts';
import type { Batch, Envelope } from './messages.ts';

/**
 * Takes units and messages as they were at the cut. What becomes of them, only `checkpoint` knows.
 * A unit is an actor's own state (table '', tableKey null) or one key of a table inside it.
 */
export interface CaptureSink {
  /** The value is kept by reference until `settle`: units that follow each other are encoded together. */
  unit(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void;
  /** A unit that was there at an earlier cut is no more. An actor's own state (tableKey null) takes its tables with it. */
  gone(type: string, key: string, table: string, tableKey: string | number | null): void;
  /** What is written whole with every cut, as mail is: what an earlier cut had of the table counts no more. */
  passing(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void;
  mail(envelope: Envelope): void;
  batch(batch: Batch): void;
  /** Values that were given may change from now on. */
  settle(): void;
}

/** What one thread's cuts know of a unit. Only `CutState` writes the numbers. */
export interface Unit {
  /** The cut after which it was changed last. */
  changed: number;
  /** Newest cut that has it, or need not have it. */
  captured: number;
  /** What it is now, or that it is gone. */
  give(sink: CaptureSink): void;
}

/** A unit whose value can be replaced as a whole: the old one stays as it is, and is captured by pointer. */
export interface ReplacedUnit extends Unit {
  readonly value: unknown;
  giveValue(sink: CaptureSink, value: unknown): void;
}

/** Units of one piece of a list. */
const PIECE = 1024;

/** Units one after the other. It grows by pieces: a long array that grows is copied whole, and for that no turn shall wait. */
export class UnitList {
  readonly #pieces: Unit[][] = [];
  #last: Unit[] = [];
  length = 0;

  get pieces(): readonly (readonly Unit[])[] {
    return this.#pieces;
  }

  push(unit: Unit): void {
    if (this.length % PIECE === 0) this.#pieces.push((this.#last = []));
    this.#last.push(unit);
    this.length++;
  }
}

/**
 * What every unit of one thread looks at before it changes.
 *
 * - A11 A part holds each unit that was changed after its `base`, as it was at `cut`: whoever changes one with
 *   `captured < cut` gives it to the sink first. A null sink means that no part is being written.
 * - A12 A unit is in `changed` once for each interval between two cuts in which it was changed.
 */
export class CutState {
  /** Number of the newest cut: of the interval that is now. */
  cut = 0;
  /** The part that is being written holds what was changed after this cut; 0 for everything. */
  base = 0;
  sink: CaptureSink | null = null;
  /** Units changed since the flip; null while nobody will ask, and when there were too many to remember. */
  changed: UnitList | null = null;
  /** Units that the part has; null where it has all. */
  written: UnitList | null = null;
  /** Values replaced since the flip, to be given to the sink as they were. */
  #replaced: { readonly unit: ReplacedUnit; readonly value: unknown }[] = [];

  /** A unit that was not there comes to be. */
  born(unit: Unit): void {
    unit.changed = this.cut;
    unit.captured = this.cut;
    this.#note(unit);
  }

  /** Called before a unit is changed in place. */
  touch(unit: Unit): void {
    if (unit.changed === this.cut) return;
    if (this.capture(unit)) this.sink?.settle();
    this.#change(unit);
  }

  /** Called before the value of a unit gives way to another: nothing is encoded now. */
  replace(unit: ReplacedUnit): void {
    if (unit.changed === this.cut) return;
    if (this.#isWanted(unit)) {
      this.#replaced.push({ unit, value: unit.value });
      this.written?.push(unit);
    }
    this.#change(unit);
  }

  /** Gives a unit to the sink, if the part wants it and has it not yet. Answers whether it did. */
  capture(unit: Unit): boolean {
    if (!this.#isWanted(unit) || this.sink === null) return false;
    unit.captured = this.cut;
    unit.give(this.sink);
    this.written?.push(unit);
    return true;
  }

  /** What was kept by pointer, given to the sink one after the other. */
  *captureReplaced(): Generator<void, void, void> {
    for (let kept = this.#replaced.pop(); kept !== undefined; kept = this.#replaced.pop()) {
      if (this.sink !== null) kept.unit.giveValue(this.sink, kept.value);
      yield;
    }
  }

  /** A part begins: of what was changed after `base`. */
  begin(cut: number, base: number, sink: CaptureSink): void {
    this.cut = cut;
    this.base = base;
    this.sink = sink;
    this.changed = new UnitList();
    this.written = base === 0 ? null : new UnitList();
    this.#replaced = [];
  }

  /** The part is done, or dropped. Answers the units that it has. */
  end(): UnitList {
    const written = this.written ?? new UnitList();
    this.sink = null;
    this.written = null;
    this.#replaced = [];
    return written;
  }

  #isWanted(unit: Unit): boolean {
    return this.sink !== null && unit.captured < this.cut && unit.changed >= this.base;
  }

  #change(unit: Unit): void {
    unit.changed = this.cut;
    unit.captured = this.cut;
    this.#note(unit);
  }

  #note(unit: Unit): void {
    if (this.changed === null) return;
    this.changed.push(unit);
    if (this.changed.length > CHANGED_UNITS_MAX) this.changed = null;
  }
}

/** Units passed over without giving back control: a look at one is short, a million of them are not. */
const PASSED_MAX = 16;

/** Captures those of the units that the part wants and has not yet. */
export function* captureEach(cut: CutState, units: Iterable<Unit>): Generator<void, void, void> {
  let passed = 0;
  for (const unit of units) {
    if (!cut.capture(unit) && ++passed < PASSED_MAX) continue;
    passed = 0;
    yield;
  }
}

/** Holds units and motion. Whoever captures them is given back control after each, so that it can stop in time. */
export interface UnitHolder {
  /** Every unit, wanted or not: for a part that holds all. */
  captureUnits(): Generator<void, void, void>;
  /** What is written whole with every cut. Called at the flip. */
  captureMotion(): Generator<void, void, void>;
}

/** Several captures as one. */
export function* oneAfterTheOther(captures: readonly Generator<void, void, void>[]): Generator<void, void, void> {
  for (const capture of captures) yield* capture;
}
