/** What sibling packages use in worker threads too. Nothing that only the host needs may be reached from here: every thread loads it. */
export { Activity } from './activity.ts';
export { ActorTable } from './actor-table.ts';
export { Alarms } from './alarms.ts';
export { Cell } from './cell.ts';
export { Turns } from './turns.ts';
export { systemClock } from './clock.adapter.ts';
export { OutChannel } from './channel.ts';
export type { Clock } from './clock.ts';
export { decodeRows, decodeValue, encodeRows, encodeValue, encodeValueInPlace } from './codec.ts';
export { definitionOf, definitions, OWN_NAME } from './definition.ts';
export { isOwnTable, type OpenCall, type OpenTimer } from './own-tables.ts';
export { definedVersions, services } from './service.ts';
export { type DeadLetter, DISCARD, type MessageCounts, RESEND } from './turns.ts';
export { type ActorAddress, ActorError, assertNever, type ErrorData, errorToData, RemoteError } from './errors.ts';
export { holdsMessages, packBatch, packMessages, unpackBatch, unpackMessages } from './frame.ts';
export { homeOfGroup, keyGroup, murmur3 } from './key-group.ts';
export * as limits from './limits.ts';
export { loadModule } from './load-module.ts';
export { Mailbox, type MailOwner } from './mailbox.ts';
export { ANSWER, isReserved, REPLY } from './messages.ts';
export type {
  Answer,
  Batch,
  ChannelItem,
  Envelope,
  FileBytes,
  Frame,
  HostSays,
  LoadedUnit,
  LogLine,
  Marker,
  PackedFrame,
  Peer,
  ServedAnswer,
  Sight,
  StartWorker,
  UnitData,
  WorkerSays,
  WorkerWord,
} from './messages.ts';
export type { Port } from './port.ts';
export { Runtime } from './runtime.ts';
export type { CutHooks, RuntimeOptions } from './runtime-options.ts';
export { decodeKeys, decodeRowsData, type RowsData } from './stored-rows.ts';
export { UnitTable } from './table.ts';
export type { Task } from './task.ts';
export { resourcesOfThread, type LookAtResources } from './resources.adapter.ts';
export { type ThreadView, viewThread } from './thread-view.ts';
export { Top } from './top.ts';
export { MemoryBudget } from './memory.ts';
export type { ServiceLine } from './service-desk.ts';
export type { ThreadSettings } from './thread-settings.ts';
export {
  captureEach,
  type CaptureSink,
  CutState,
  oneAfterTheOther,
  type Unit,
  type UnitHolder,
  UnitList,
} from './unit.ts';
export { assertPlain, copyValue } from './value.ts';
export { threadSeat, type WorkerTask } from './seat.adapter.ts';
export {
  type Install,
  type Installed,
  type InstalledWorker,
  type Plug,
  runWorker,
  type WorkerEnd,
  type WorkerPlugin,
  type WorkerSeat,
} from './worker.ts';
export { WORK_FIELDS } from './work-count.ts';
