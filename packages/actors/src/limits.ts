/** Every bound of this package, with its unit and its reason. */

/** Messages in one frame at most: keeps the taking of one frame, which cannot be interrupted, under a slice. */
export const FRAME_MESSAGES_MAX = 4096;

/** Messages that are posted at once to a thread that has nothing of their channel: it works while the rest is made. */
export const FIRST_MESSAGES = 16;

/** Bytes of one frame's body aimed at: large enough to spread the cost of a post, small enough to pipeline. */
export const FRAME_BYTES_TARGET = 64 * 1024;

/** What a frame may weigh however few bytes it has (weight.ts): objects that are read in 3 ms. */
export const FRAME_WEIGHT_MIN = 64 * 1024;

/** Values in the columns of one frame, its messages times their fields: what a few bytes can become, read in 20 ms. */
export const FRAME_VALUES_MAX = 256 * 1024;

/** Bytes that may lie in one channel, posted and not yet taken. Bounds what a cut must record of a channel. */
export const WINDOW_BYTES = 256 * 1024;

/** A message that encodes to more is refused at the send. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes waiting in a worker (mailboxes and outboxes) that close the ingress of the whole system. */
export const HIGH_MARK_BYTES = 4 * 1024 * 1024;

/** Bytes at which a worker that closed the ingress opens it again. */
export const LOW_MARK_BYTES = 1024 * 1024;

/** Bytes of memory that waiting messages of one thread may take; with more the program is ended: work that begets work without end. */
export const OVERRUN_BYTES = 1024 * 1024 * 1024;

/** The most of a worker's heap that they may take: with more it would soon run out of memory, and nobody would know why. */
export const OVERRUN_SHARE = 0.5;

/** Bytes of memory that a waiting message takes beside what it says. */
export const MESSAGE_BYTES_HELD = 400;

/** Milliseconds of turns before a worker yields to its event loop, so that markers and timers are seen soon. */
export const SLICE_MS = 1;

/** Sends of the host's program between two turns of its event loop: a loop that awaits each of them would never let it turn. */
export const SENDS_UNBROKEN = 512;

/** Share of a slice that capturing gets while a cut is open, even when there is mail. */
export const CAPTURE_SHARE = 0.25;

/** Fixed share of the key space: the unit of placing. Never changes, it is in every checkpoint. */
export const KEY_GROUPS = 1024;

/** Bytes that a waiting local message is taken to hold, where its size is not known. */
export const MESSAGE_BYTES_GUESS = 96;

/** Milliseconds for a worker to load its modules and say that it is ready. */
export const BOOT_MS = 30_000;

/** Milliseconds after which a worker that is stuck in one turn is ended, where nothing else is said: no turn of a program that is well takes so long. */
export const WATCHDOG_MS = 30_000;

/** Least of it that may be asked for: a collection of garbage may take as long. */
export const WATCHDOG_MS_MIN = 100;

/** Looks at a worker in that time: what is found late is found by a sixteenth of it late. */
export const WATCHDOG_LOOKS = 16;

/** Share of it after which a silent worker is stuck: the rest is for the looks, which come late on a busy machine. */
export const WATCHDOG_PATIENCE = 0.75;

/** Milliseconds to find out where a silent worker is: V8 stops it within a few, unless its code is not JavaScript or the machine is busy. */
export const STACK_MS = 2_000;

/** Functions of a silent worker that are told, the innermost ones. */
export const STACK_FRAMES = 3;

/** Milliseconds after which an aborted call of a service that still runs is told: what heeds its signal ends within one turn of the event loop. */
export const HUNG_SERVICE_MS = 10_000;

/** Milliseconds between two looks of a worker at its own memory: a look takes microseconds. */
export const MEMORY_LOOK_MS = 250;

/** Share of its memory at which a worker warns. */
export const MEMORY_WARN_SHARE = 0.8;

/** Units of one thread changed between two cuts that are remembered one by one: more are written as if all had changed. */
export const CHANGED_UNITS_MAX = 4_000_000;

/** Checkpoints published without a throw after which an actor that has thrown is trusted again. */
export const CAREFUL_CHECKPOINTS = 10;

/** Messages set aside in one thread of one generation at which the program is ended: one that always throws is no accident. */
export const DEAD_LETTERS_MAX = 1_000;

/** Milliseconds for which the answer to a request with an id is kept. */
export const REQUEST_KEPT_MS = 60 * 60 * 1000;

/** Room for encoding that a thread keeps; a frame of messages takes about two megabytes of it. */
export const SLAB_BYTES_KEPT = 4 * 1024 * 1024;
