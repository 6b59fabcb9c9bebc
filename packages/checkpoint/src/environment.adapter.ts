import { resourcesOfThread, startThreads, systemClock } from '@tidemark/actors/internal';
import { openStore } from '@tidemark/stores';
import type { Environment } from './environment.ts';
import { INLINE_BYTES_MAX, RECORDS_PER_PASS } from './limits.ts';
import { nodeProcesses } from './process-identity.adapter.ts';
import { random, randomId } from './random.adapter.ts';

/** This process, its threads, its disk. */
export const nodeEnvironment: Environment = {
  clock: systemClock,
  randomId,
  random,
  processes: nodeProcesses,
  openStore,
  inlineBytesMax: INLINE_BYTES_MAX,
  recordsPerPass: RECORDS_PER_PASS,
  startThreads,
  resources: resourcesOfThread,
};
