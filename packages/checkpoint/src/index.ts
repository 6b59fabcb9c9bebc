export { type Compression, isCompression } from './compression.ts';
export { CheckpointError, type CheckpointErrorCode } from './errors.ts';
export { createSystem, main, type System, type SystemOptions } from './system.ts';
export type { EngineEvent } from './engine-options.ts';
export type { SystemEvents } from './system-events.ts';
export type { KeepOptions } from './keep.ts';
export type { Savepoint } from './savepoints.ts';
