import { openCompressor } from './compression.ts';
import { planCopies } from './copies.ts';
import { Engine } from './engine.ts';
import type { EngineOptions } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { nodeEnvironment } from './environment.adapter.ts';
import { parseKeep } from './keep.ts';
import { parseSchedule } from './schedule.ts';

/**
 * Opens the store, chooses, owns, starts the threads, restores. The order is that of architecture §6: everything that
 * may refuse comes before the first side effect, which is the term record.
 */
export async function startEngine(options: EngineOptions, environment: Environment = nodeEnvironment): Promise<Engine> {
  // All that can be wrong with the arguments is found before anything is touched.
  const schedule = parseSchedule(options.schedule, options.timezone);
  parseKeep(options.keep);
  const compressor = openCompressor(options.compression);
  const copies = planCopies(options.copies ?? [], options.location);
  const engine = new Engine(options, environment, compressor);
  try {
    await engine.start(schedule, copies);
  } catch (error) {
    await engine.kill();
    throw error;
  }
  return engine;
}
