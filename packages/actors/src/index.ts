export { actor } from './definition.ts';
export { service } from './service.ts';
export { type Movable, move, type Moved } from './move.ts';
export type { HungCall, OpenHungCalls } from './hung-calls.ts';
export { table, type Table } from './table.ts';
export { type ActorAddress, ActorError, type ActorErrorCode, Refusal, RemoteError } from './errors.ts';
export type {
  Actor,
  ActorOptions,
  AnyActor,
  AnyService,
  AskOptions,
  Asks,
  CallOptions,
  Calls,
  Ctx,
  DeepReadonly,
  Handler,
  MailboxOptions,
  Messages,
  MessageSteps,
  Question,
  RecordedMessage,
  Ref,
  Reply,
  Service,
  ServiceCtx,
  ServiceHandler,
  ServiceOptions,
  ServicePlace,
  StateSteps,
  Tells,
  TellsWhenRoom,
  Timer,
  Wire,
} from './types.ts';
export type { ActiveActor } from './activity.ts';
export type { OpenAsks } from './open-ask.ts';
export type { LogLevel } from './messages.ts';
export type { ThreadResourceLimits, ThreadSettings } from './thread-settings.ts';
export type { Clock } from './clock.ts';
export type { FrameSeen, TurnSeen } from './diagnostics.ts';
export type { ThreadResources } from './resources.adapter.ts';
export type { FullMailbox, MessageTotals, OpenQuestion, OpenQuestions, QueueDepth, ThreadView } from './thread-view.ts';
export { type TracedWork, type TraceHook, traceWith } from './trace.ts';
export type { DeadLetter } from './turns.ts';
