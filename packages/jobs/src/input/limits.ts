/** Bounds of reading input. */

/** Longest row, in bytes. A longer one is most likely a quote that is never closed, and would fill the memory. */
export const rowBytesMax = 16 * 1024 * 1024;

/** Characters of a bad row that are kept, as a report of it may go far. */
export const badRowTextMax = 500;

/** Characters of a field that are shown in a reason. */
export const shownFieldMax = 40;

/** Bytes read at once where seams are searched: large enough that the search, not the reading, costs. */
export const seamChunkBytes = 1024 * 1024;

/** Bytes read at once where one line end is searched. */
export const lineChunkBytes = 64 * 1024;

/** Bytes at each end of a file that its fingerprint covers. */
export const fingerprintBytes = 4096;
