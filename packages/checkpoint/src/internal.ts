export { choose } from './choose.ts';
export { Engine, startEngine } from './engine.ts';
export type { EngineEvent, EngineOptions, HostExtension, Prepared } from './engine-options.ts';
export { CheckpointError } from './errors.ts';
export { Generator, type Published } from './generator.ts';
export { Log, logName } from './log.ts';
export { Owner } from './owner.ts';
export * as limits from './limits.ts';
export { type PartContent, PartWriter, readPart } from './part.ts';
export { Participant, type PartSays } from './participant.ts';
export {
  type CheckpointRecord,
  decodeRecord,
  encodeRecord,
  type LogRecord,
  type PartRef,
  type RecordBody,
  type TermRecord,
} from './record.ts';
export { distribute, type Placement } from './recovery.ts';
export { parseSchedule, type Schedule } from './schedule.ts';
export { type GeneratorEffect, type GeneratorEvent, type GeneratorState, step } from './step.ts';
export { insideWorker } from './inside.ts';
export { isProgram, workersOf } from './system.ts';
export { Retention } from './retention.ts';
export { KEEP_CHECKPOINTS } from './limits.ts';
export { boundaryName, boundaryPositions, decodeBoundary, encodeBoundary } from './boundary.ts';
export type { Environment, Processes } from './environment.ts';
export { nodeEnvironment } from './environment.adapter.ts';
export type { ProcessIdentity } from './process-identity.adapter.ts';
export { workerBody } from './worker-body.ts';
