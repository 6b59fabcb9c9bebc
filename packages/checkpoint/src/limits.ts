/** Every bound of this package, with its unit and its reason. */

/**
 * Bytes of one block of a part at most: what is checked, posted and written at a time. A turn waits while one is made whole, and a
 * copy of a megabyte takes some tenths of a millisecond.
 */
export const BLOCK_BYTES_MAX = 256 * 1024;

/** Bytes of the first block's buffer; it grows as needed. Most parts of small programs fit. */
export const BLOCK_BYTES_FIRST = 32 * 1024;

/** Bytes before a block's payload, which say what it is; see FORMAT.md. */
export const BLOCK_HEAD_BYTES = 16;

/** Memory of a block that is used again: a full one fits, with the entry that may be beyond its end. */
export const BLOCK_CAPACITY = BLOCK_HEAD_BYTES + BLOCK_BYTES_MAX * 1.25;

/** Below that a block gets memory of its own size: what holds a large one would be mostly empty. */
export const BLOCK_COPIED_BELOW = BLOCK_CAPACITY / 8;

/** Memory of blocks that is kept for the next ones, by each who needs some; of one part, what is given back. */
export const SPARE_BLOCKS_MAX = 128;

/** Checkpoints from one full file of a thread to its next: at most log₂ of it, and two, files are read at a restore. */
export const CHAIN_FILES_PERIOD = 64;

/** A part of fewer bytes lies in the record itself: one put less. */
export const INLINE_BYTES_MAX = 64 * 1024;

/** Milliseconds after which a cut that is not complete is abandoned, where the schedule gives no time limit. */
export const CUT_OVERDUE_MS = 60_000;

/** Milliseconds between renewals of `owner.json`. */
export const OWNER_RENEW_MS = 5_000;

/** Milliseconds to watch the counter of an owner on another machine. */
export const OWNER_WATCH_MS = 10_000;

/** Milliseconds to wait for an owner whose parent is gone: it ends by itself within one second. */
export const OWNER_ORPHAN_MS = 3_000;

/** Milliseconds to wait for the file of an owner whose begin is the newest record: it is written right after that. */
export const OWNER_LATE_MS = 1_000;

/** Milliseconds that a start goes on trying while its store is away for the moment. */
export const START_STORE_MS = 20_000;

/** Milliseconds between two of these tries at most. */
export const START_STORE_DELAY_MS_MAX = 2_000;

/** Milliseconds to wait for a worker that is looked at: longer than a slice and a collection, short for who waits. */
export const INSPECT_MS = 1_000;

/** Milliseconds for which a record may be on its way before people are told that no checkpoint comes. */
export const PUBLISH_LATE_MS = 10_000;

/** Milliseconds to find out about a put whose outcome is not known. After that the process ends and a new start finds out. */
export const SETTLE_MS = 60_000;

/** Milliseconds between two tries at most: soon enough after the store is back. */
export const SETTLE_DELAY_MS_MAX = 5_000;

/** Milliseconds for workers to end by themselves at a stop; a turn without end would keep the process for ever. */
export const STOP_MS = 5_000;

/** Longest wait given to the clock at a time, in milliseconds: the timers of Node hold no more than 24 days. */
export const WAIT_MS_MAX = 86_400_000;

/** Longest wait for an instant of the wall clock until it is looked at again: after a sleep of the machine, a cron schedule is so late at most. */
export const WALL_LOOK_MS = 30_000;

/** Milliseconds between two looks at what was done, where a schedule counts it. */
export const WORK_LOOK_MS = 50;

/** Failed attempts that a record tells, the newest ones. */
export const FAILED_TOLD_MAX = 100;

/** Characters of an error in a record: enough to know it again, and a record stays small. */
export const FAILED_TEXT_MAX = 300;

/** Definitions of one thread that a record tells, those with the most bytes; fewer where there are many threads. */
export const DEFINITIONS_TOLD_MAX = 20;

/** Of all threads together: some 24 KB. */
export const DEFINITIONS_TOLD_SUM = 400;

/** Checkpoints kept when nothing else is said: enough to go back over a bad hour at one a minute, or past a damaged one. */
export const KEEP_CHECKPOINTS = 10;

/** Records put between two passes of retention: a pass lists the store, a put need not. */
export const RECORDS_PER_PASS = 60;

/** Milliseconds between two looks for savepoints that somebody wishes: soon enough for a person who waits, and a store may charge for each. */
export const WISH_LOOK_MS = 5_000;

/** Milliseconds that a wish waits for the owner: as long as a cut may take, and the look before it. */
export const WISH_ANSWER_MS = 90_000;

/** Milliseconds between two looks for the answer to a wish. */
export const WISH_ANSWER_LOOK_MS = 250;

/** Characters of a label at most: it stands in a column of a table. */
export const LABEL_CHARS_MAX = 64;

/** Starts over after a lost term record, before we say that somebody else runs. */
export const START_TRIES = 3;

/**
 * Term records that a take-over puts without reading first what it goes on from. Between a look at the log and the put
 * there are a few milliseconds: an owner that is quicker a hundred times does not exist.
 */
export const FENCE_TRIES = 100;
/** Bytes of a file that are copied at a time: verifying them takes the host thread under a millisecond or two. */
export const COPY_BYTES = 1024 * 1024;

/** Milliseconds until a copy that goes on failing is told again. */
export const COPY_TOLD_MS = 60_000;

/** Milliseconds that the end of a system waits for a copy that it has given up: a store that is away may not hear of it. */
export const COPY_END_MS = 1_000;

/** Looks at a copied log whose end moves while one record is put. */
export const CLAIM_TRIES = 5;

/** Bytes of units and motion in one `load` message to a worker. */
export const LOAD_BYTES = 4 * 1024 * 1024;

/** Rollbacks without a new checkpoint in between after which the process ends: a system that gets no further does not get better. */
export const ROLLBACKS_MAX = 10;

/** First wait between two such rollbacks in milliseconds, doubled each time; the very first rollback does not wait. */
export const BACKOFF_FIRST_MS = 100;

/** Longest such wait in milliseconds. */
export const BACKOFF_MAX_MS = 10_000;

/**
 * Milliseconds for a living worker to say that it has stopped what it ran: it answers between two turns. One that does not is in a turn
 * that is undone anyway, and a new thread costs a tenth of this.
 */
export const HALT_MS = 2_000;

/**
 * Bytes of parts kept in memory at most: those of the newest checkpoint, and of the one that is gathered. A state of 100 MB is
 * restored without the store; of a larger one, what does not fit is read from there.
 */
export const PARTS_IN_MEMORY_BYTES_MAX = 256 * 1024 * 1024;

/** Records read at a time by those who look at a whole log: hides the way to a store that is far away. */
export const READ_AT_ONCE = 16;

/** Bytes of a checkpoint that wait for the store when nothing else is said: more is declined, so that a slow store does not fill the memory. */
export const CAPTURE_BYTES_MAX = 512 * 1024 * 1024;
