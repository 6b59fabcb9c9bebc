export { StoreError, type StoreErrorCode, type StoreErrorKind } from './errors.ts';
export { type HdfsOptions, openHdfsStore, openHdfsStoreForReading } from './hdfs/open-hdfs-store.ts';
export { MemoryStore } from './memory-store.ts';
export { openFolderStore } from './open-folder-store.ts';
export { openStore, openStoreForReading } from './open-store.ts';
export type { CallOptions, GetOptions, ListOptions, Store, StoreSupport, StoreTraffic } from './store.ts';
