import type { Mailbox } from './mailbox.ts';
import type { Batch, LoadedUnit } from './messages.ts';
import type { RowsData } from './stored-rows.ts';
import type { UnitHolder } from './unit.ts';

/**
 * Operators of a job on one thread: an actor whose turn is a batch of records. There is one of a name on each worker;
 * records reach it by key group. The runtime calls it, it never waits.
 */
export interface Task extends UnitHolder {
  readonly name: string;
  readonly mail: Mailbox<Batch>;
  /** One turn on one batch. */
  turn(batch: Batch): void;
  /** One turn of a source, if it has records at hand and may bring them in. Answers whether it did. */
  poll(): boolean;
  /**
   * The thread enters a cut: fixes by reference what must be fixed at that instant. Answers whether this cut carries
   * something that is released when it is published.
   */
  flip(): boolean;
  loadUnit(unit: LoadedUnit): void;
  /** Rows of one of its tables, still encoded. */
  loadRows(table: string, rows: RowsData): void;
  /** Nothing of this task is under way (mail is counted elsewhere). */
  readonly quiet: boolean;
  /** Its sources will bring no more. */
  readonly drained: boolean;
}
