/** Milliseconds for a call that moves no body, when its caller gives no deadline. */
export const CALL_MS = 30_000;

/** Milliseconds in which at least one byte of a body must move. Also the wait for the answer after the last byte. */
export const STALL_MS = 30_000;

/** Longest wait for one answer of one name node, in milliseconds, so that a hung one leaves time to ask another. */
export const TRY_MS = 10_000;

/** Shortest wait for one answer, in milliseconds. */
export const TRY_MS_MIN = 100;

/** Longest wait for a connection to a data node, in milliseconds. */
export const CONNECT_MS = 5_000;

/** Waits between rounds over the name nodes, in milliseconds: they double from the first to the longest. */
export const ROUND_WAIT_MS = { first: 200, longest: 2_000 } as const;

/** Data nodes that one call tries, one after the other. Three hold a block by default. */
export const DATA_NODE_TRIES_MAX = 4;

/** Temp files that one put of bytes writes, one after the other, when a data node fails under it. */
export const WRITES_MAX = 3;

/** Times that a name node is asked for another data node than those that failed. */
export const ASKS_MAX = 12;

/** Largest answer of a name node, in bytes. A page of a listing holds 1,000 entries of some 300 bytes. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** Largest error text that is read from a data node, in bytes. */
export const ERROR_BYTES_MAX = 64 * 1024;

/** Largest object that `get` takes when the caller names no bound, in bytes. Node's arrays stop somewhere above. */
export const OBJECT_BYTES_MAX = 2 ** 31;

/** Bytes of a body handed to the connection at once, so that its progress can be seen. */
export const SLICE_BYTES = 256 * 1024;

/** Milliseconds that a rename which was sent may still take when its caller gives up. */
export const ABORTED_MS = 2_000;

/** Milliseconds that clearing up behind a call may take. */
export const CLEAN_UP_MS = 5_000;

/** Longest name-node message that is shown, in characters. */
export const MESSAGE_CHARS_MAX = 300;
