import type { Batch, Envelope } from './messages.ts';

/**
 * Takes units and messages as they were at the cut. What becomes of them, only `checkpoint` knows.
 * A unit is an actor's own state (table '', tableKey null) or one key of a table inside it.
 */
export interface CaptureSink {
  unit(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void;
  mail(envelope: Envelope): void;
  batch(batch: Batch): void;
}

/**
 * What every unit of one thread looks at before it changes.
 * A unit with `captured < cut` is still as it was at the cut and is given to `sink` first; a null sink means that
 * no part is being written (nothing was ever cut, or the cut was abandoned).
 */
export class CutState {
  cut = 0;
  sink: CaptureSink | null = null;
}

/** Holds units. The generator captures what is left, yielding after each unit so that the caller can stop in time. */
export interface UnitHolder {
  capture(): Generator<void, void, void>;
}
