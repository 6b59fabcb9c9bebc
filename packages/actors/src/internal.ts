export * from './worker-internal.ts';
export { Border } from './border.ts';
export { OpenAsk } from './open-ask.ts';
export { type HungCall, HungCalls } from './hung-calls.ts';
export type { OpenAsks } from './open-ask.ts';
export { Events } from './events.ts';
export { assertSameDefinitions, startThreads, type Threads, type ThreadsOptions, type WorkerLine } from './threads.ts';
export { Watchdog, type Watched } from './watchdog.ts';
