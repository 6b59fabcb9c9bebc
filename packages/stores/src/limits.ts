/** Longest part of a name between two slashes, in characters. File systems stop at 255 bytes; temp and sort suffixes need room. */
export const SEGMENT_CHARS_MAX = 128;

/** Longest name, in characters. S3 stops at 1,024 bytes for a key, of which a location's own prefix takes its share. */
export const NAME_CHARS_MAX = 512;

/**
 * Age by which a temp file surely belongs to no living put, in milliseconds. A put writes to its temp file all the time, so
 * its `mtime` is young; should one have slept longer, losing the file makes that put fail, never lie.
 */
export const STALE_TEMP_MS = 3_600_000;

/** Stale temp files that one opening removes at most, so that a start never waits long for a clean-up. */
export const STALE_TEMP_FILES_MAX = 1_000;
