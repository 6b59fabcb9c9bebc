export { type Examined, type ExamineOptions, examineStore, type Finding, type Latency } from './doctor/examine.ts';
export { StoreError, type StoreErrorCode, type StoreErrorKind } from './errors.ts';
export { MemoryStore } from './memory-store.ts';
export { allowNetworkFolder } from './location.ts';
export { type FolderOpenOptions, openFolderStore } from './open-folder-store.ts';
export { openStore, openStoreForReading } from './open-store.ts';
export { s3DollarsPerDay } from './s3-cost.ts';
export { openS3Store, openS3StoreForReading, type S3OpenOptions } from './s3/open-s3-store.ts';
export type { CallOptions, GetOptions, ListOptions, Store, StoreSupport, StoreTraffic } from './store.ts';
