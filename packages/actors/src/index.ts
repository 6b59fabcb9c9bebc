export { actor } from './definition.ts';
export { table, type Table } from './table.ts';
export { ActorError, type ActorErrorCode, Refusal, RemoteError } from './errors.ts';
export type {
  Actor,
  ActorOptions,
  AnyActor,
  AskOptions,
  Asks,
  Ctx,
  DeepReadonly,
  Handler,
  Messages,
  MessageSteps,
  RecordedMessage,
  Ref,
  StateSteps,
  Tells,
  TellsWhenRoom,
  Wire,
} from './types.ts';
export type { Clock } from './clock.ts';
