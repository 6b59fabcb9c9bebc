/** Every bound of the S3 store. Times are in milliseconds. */
export interface S3Limits {
  /** A call that moves few bytes rejects after so long, all its requests together. */
  readonly callMs: number;
  /** A request that moves many bytes is given up when none moved for so long. */
  readonly idleMs: number;
  /** Size of the parts of a large object. S3 wants 5 MiB at least, and some servers want all parts but the last equal. */
  readonly partBytes: number;
  /** Parts of one object that are under way at once: bounds the memory of a streamed put to one more than these. */
  readonly partsAtOnce: number;
}

const MIB = 1024 * 1024;

export const S3_LIMITS: S3Limits = { callMs: 30_000, idleMs: 30_000, partBytes: 8 * MIB, partsAtOnce: 4 };

/** Bytes up to which a request counts as small: it has to be over in a time, not only to move on. */
export const SMALL_BYTES_MAX = 64 * 1024;

/** S3's own limit. With parts of 8 MiB it bounds an object to 80 GiB. */
export const PARTS_MAX = 10_000;

/** Bytes of one answer, which is one array in memory. */
export const ANSWER_BYTES_MAX = 2 * 1024 * MIB;

/** Bytes of an answer that is not an object: a page of a listing has 1,000 keys of at most 1,024 bytes and some XML around each. */
export const MESSAGE_BYTES_MAX = 16 * MIB;

/** Pages of one listing, of up to 1,000 names each. */
export const LIST_PAGES_MAX = 10_000;

/** Age from which an unfinished upload surely belongs to no living put. */
export const STALE_UPLOAD_MS = 24 * 3_600_000;

/** Unfinished uploads that one opening aborts at most, and the time that it takes for that, so that a start never waits long. */
export const STALE_UPLOADS_MAX = 100;
export const SWEEP_MS = 10_000;
