import { bank } from './bank.ts';
import { counters } from './counters.ts';
import { errands } from './errands.ts';
import { letters } from './letters.ts';
import type { Program } from './program.ts';

/** See job-stage.ts. */
const job: Program = { kind: 'job', name: 'job' };

export const PROGRAMS: readonly Program[] = [bank, counters, letters, errands, job];
