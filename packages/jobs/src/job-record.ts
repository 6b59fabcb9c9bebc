import type { Naming } from './file-sink.ts';
import type { InputPlan } from './input/input-plan.ts';
import type { Outputs } from './outputs.ts';
import type { JobResult } from './run-events.ts';

/** What a job keeps in each checkpoint record, beside its units. */
export interface JobRecord {
  readonly plan: InputPlan;
  readonly outputs: Outputs;
  /** The records published before this one in its term, oldest first, as far as a sink may not have heard of them. */
  readonly namings: readonly Naming[];
  /** What `--key` said. */
  readonly key: string | null;
  /** The last word of each key was said. */
  readonly ended: boolean;
  readonly rows: number;
  readonly badRows: number;
  readonly result: JobResult | null;
}
