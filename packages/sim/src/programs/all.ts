import { bank } from './bank.ts';
import { counters } from './counters.ts';
import { letters } from './letters.ts';
import type { Program } from './program.ts';

export const PROGRAMS: readonly Program[] = [bank, counters, letters];
