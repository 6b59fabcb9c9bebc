/** Every bound of this package outside of the inputs, with its unit and its reason. */

/** Rows that one turn of a source brings in for each worker: what crosses to another leaves as one frame of about 25 KB. */
export const SOURCE_ROWS_PER_WORKER = 512;

/** Rows of one source turn at most, whatever the number of workers. */
export const SOURCE_ROWS_MAX = 4096;

/** Bytes that a source reads at a time. */
export const READ_BYTES = 512 * 1024;

/** Ranges that the inputs are cut into: enough for any number of workers to share them evenly. */
export const SPLITS = 128;

/** Bytes of output that are encoded at a time, and captured as one unit. */
export const SINK_CHUNK_BYTES = 64 * 1024;

/** Bytes of output of one task, open and not yet applied, that close the ingress and ask for an early checkpoint. */
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/** Published records that a checkpoint remembers: a sink that has not heard of so many has long lost its host. */
export const NAMINGS_MAX = 64;

/** Milliseconds between tries to apply a batch that the output refuses for now. */
export const APPLY_RETRY_MS = 1_000;

/** Milliseconds until a source that may not bring anything in looks again. */
export const INGRESS_LOOK_MS = 1;

/** Milliseconds between looks at the threads while the last records run through. */
export const QUIET_LOOK_MS = 2;

/** Milliseconds that a stop waits for the output to take its last batches; what it does not take is in the checkpoint. */
export const STOP_APPLY_MS = 5_000;

/** Milliseconds between tries for the last checkpoint of a job. */
export const LAST_RETRY_MS = 1_000;

/** Where the checkpoints lie when nothing is said: under it, a folder for each job. */
export const DEFAULT_STORES = '.tidemark';

/** When they are taken then: output becomes visible so much later, and a second of work is done again after a crash at most. */
export const DEFAULT_SCHEDULE = '1s';
