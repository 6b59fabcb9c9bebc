export * from './worker-internal.ts';
export { type Choice, choose, type ChooseOptions } from './choose.ts';
export { Copier, type Copied as CheckpointCopied } from './copier.ts';
export { type CopyOptions, planCopies } from './copies.ts';
export { type CopySource, readSource } from './copy-source.ts';
export { CopyStore } from './copy-store.ts';
export { Engine } from './engine.ts';
export { startEngine } from './start-engine.ts';
export type { EngineEvent, EngineOptions, HostExtension, Prepared, ToRun } from './engine-options.ts';
export { CheckpointError } from './errors.ts';
export { Generator } from './generator.ts';
export type { GeneratorOptions, Published } from './generator-options.ts';
export { Log, logName } from './log.ts';
export { Owner } from './owner.ts';
export { patiently } from './patience.ts';
export * as limits from './limits.ts';
export { Chain, type NextFile } from './chain.ts';
export { entriesOf, KIND, UNIT_KINDS } from './entry.ts';
export { mergeFiles, type PartContent, type PartFileContent, readPart } from './part.ts';
export { PartFraming } from './part-file.ts';
export { type PartBlock, type PartCounts, PartWriter, payloadOf } from './part-writer.ts';
export { readParts } from './part-reading.ts';
export { PartLoader } from './part-loader.ts';
export { Participant, type PartFile, type PartSays, type PartStats } from './participant.ts';
export {
  type CheckpointRecord,
  type CutHistory,
  decodeRecord,
  encodeRecord,
  type FailedAttempt,
  type FileRef,
  filesOf,
  type LogRecord,
  type PartRef,
  type RecordBody,
  storedFiles,
  type TermRecord,
} from './record.ts';
export { type RecoveryEffect, type RecoveryEvent, recoveryStep, type RecoveryState } from './recovery-step.ts';
export { PartCache } from './part-cache.ts';
export { BlockPool } from './block-pool.ts';
export { inPieces } from './load-pieces.ts';
export { CarefulActors } from './careful-actors.ts';
export { RestorePoint } from './restore-point.ts';
export { homeFiles } from './home-files.ts';
export { distribute, loadHere, type Placement } from './recovery.ts';
export { Alarm } from './alarm.ts';
export { NO_WORK, type WorkDone } from './work.ts';
export { type GeneratorEffect, type GeneratorEvent, type GeneratorState, step } from './step.ts';
export { takeOver, type TakenOver } from './take-over.ts';
export { TrafficMeter } from './traffic.ts';
export { hungText, writeLog } from './system-events.ts';
export { threadSettings } from './thread-settings.ts';
export { startSystem, workersOf } from './running-system.ts';
export { Retention } from './retention.ts';
export { CAPTURE_BYTES_MAX, INLINE_BYTES_MAX, KEEP_CHECKPOINTS } from './limits.ts';
export { checkLabel } from './label.ts';
export {
  decodePin,
  encodePin,
  endsName,
  isMarked,
  keptName,
  listMarks,
  type Marks,
  markedPositions,
  type Pin,
  pinName,
} from './pin.ts';
export { pinCheckpoint, type PinOptions, type PinPlace, unpinCheckpoint } from './pinning.ts';
export { askSavepoint, type AskedSavepoint } from './ask-savepoint.ts';
export { type Savepoint, Savepoints } from './savepoints.ts';
export { encodeWish, listWishes, pinOfWish, type Wish, wishName } from './wish.ts';
export type { PinNote } from './reading/pins-view.ts';
export { boundaryName, boundaryPositions, decodeBoundary, encodeBoundary } from './boundary.ts';
export type { Environment, Processes } from './environment.ts';
export { nodeEnvironment } from './environment.adapter.ts';
export type { ProcessIdentity } from './process-identity.adapter.ts';
export { workerBody } from './worker-body.ts';
export { type Census, census, type MotionGroup, type Receiver, type UnitGroup } from './reading/census.ts';
export { type CheckpointView, type PartView, readCheckpoint } from './reading/checkpoint-view.ts';
export { copyCheckpoint, type Copied } from './reading/copy.ts';
export { diffUnits, type UnitChange } from './reading/diff.ts';
export { jobInStore, jobsInStore } from './reading/jobs-in-store.ts';
export { type LogLine, type LogView, readLog } from './reading/log-view.ts';
export type { PlanOutcome } from './mapping/fate.ts';
export { mapCheckpoint, type MappedCheckpoint, type PlanRow } from './mapping/map-checkpoint.ts';
export { type Mapping, NO_MAPPING, type ProgramParts } from './mapping/program.ts';
export { planRestore, type RestorePlan } from './reading/plan.ts';
export { actorView, type ActorView, keyedUnits, sortedUnits, type TableView, unitText } from './reading/units.ts';
export { type Finding, type Verified, verifyLog } from './reading/verify.ts';
export { type GcKept, type GcPlace, type GcRemoved, type GcReport, type KeptBecause, planGc, runGc } from './gc.ts';
