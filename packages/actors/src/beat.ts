/** Numbers that a worker thread shares with the host: what shows that it lives, and by what name the system knows it. */
export const BEAT_FIELDS = 3;

/** Counts up while the thread's event loop turns; 0 until it does. */
export const BEATS = 0;

/** Number of the thread for the operating system; 0 where it does not tell. */
export const SYSTEM_THREAD = 1;

/** Number of the thread in Node. */
export const NODE_THREAD = 2;
