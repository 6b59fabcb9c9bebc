export { TestKitError, type TestKitErrorCode } from './errors.ts';
export { type Sends, TestActor, testActor, type TestActorOptions } from './test-actor.ts';
export type { AnswerOf, ArgsOf, HandlerName, OpenQuestion, OpenTimer, SentMessage, StateOf } from './types.ts';
