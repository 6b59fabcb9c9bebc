/**
 * Kinds of file systems that other machines take part in, by the number that Linux gives them (`man 2 statfs`). FUSE stands for
 * whatever is behind it: most of it is a network, and none of it says what its fsync does.
 */
const NETWORK_KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x5346414f, 'AFS'],
]);

/** Null for a local file system. Systems give the number with or without a sign. */
export function networkKindOf(type: number): string | null {
  return NETWORK_KINDS.get(type >>> 0) ?? null;
}
