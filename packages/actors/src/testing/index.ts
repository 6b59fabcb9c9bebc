export { checkState, type CheckStateOptions, type StateCheck } from './check-state.ts';
export { TestKitError, type TestKitErrorCode } from './errors.ts';
export { fake, type Fake, type FakeHandlers } from './fake.ts';
export { forSeeds, type SeedsOptions } from './for-seeds.ts';
export { type Sends, type TestActor, testActor, type TestActorOptions } from './test-actor.ts';
export type { TestCut } from './test-cut.ts';
export { type TestSystem, testSystem, type TestSystemOptions } from './test-system.ts';
export type { AnswerOf, ArgsOf, HandlerName, OpenQuestion, OpenTimer, SentMessage, StateOf } from './types.ts';
