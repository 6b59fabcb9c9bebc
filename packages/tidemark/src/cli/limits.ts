/** Every bound of the command line, with its unit and its reason. */

/** Restarts in one window without a new checkpoint: more crashes than this are not bad luck, and a person should look. */
export const RESTARTS_MAX = 10;

/** Milliseconds over which restarts are counted. */
export const RESTART_WINDOW_MS = 60_000;

/** Milliseconds that the wait before a second restart is drawn from; doubles with each further one. */
export const BACKOFF_FIRST_MS = 100;

/** Milliseconds that no wait before a restart exceeds. */
export const BACKOFF_MAX_MS = 10_000;

/**
 * Milliseconds in which a second signal counts as the first one's echo: Ctrl-C reaches the whole process group, and
 * a wrapper such as npm passes it on once more.
 */
export const SIGNAL_ECHO_MS = 250;

/** Milliseconds for the last checkpoint after SIGINT or SIGTERM; orchestrators commonly kill after 30 s. */
export const STOP_MS = 28_000;

/** Milliseconds more that the parent gives the child, whose event loop may hang, before it kills it. */
export const STOP_GRACE_MS = 1_500;

/** Milliseconds between two drawings of the live line: five a second. */
export const LIVE_LINE_MS = 200;

/** Milliseconds between two progress lines when nobody watches a terminal. */
export const PLAIN_LINE_MS = 2_000;

/** Milliseconds over which rows a second are measured. */
export const RATE_WINDOW_MS = 1_000;

/** Milliseconds for which a failure of checkpoints that repeats itself is not said again. */
export const REPEAT_MS = 10_000;

/** Causes of an error that are printed: more is noise. */
export const CAUSES_MAX = 4;

/** Workers at most: as many as the engine takes. */
export const WORKERS_MAX = 256;

/** Units listed or compared when nothing else is said: a screen or two. */
export const LIST_LIMIT = 100;

/** Receivers named of those that most messages were on the way to. */
export const RECEIVERS_SHOWN = 10;

/** Characters of a state in a line of a table. */
export const STATE_CHARS = 100;

/** Failed attempts that a list tells of one checkpoint: what repeats itself fills no screen. */
export const FAILED_SHOWN = 3;
