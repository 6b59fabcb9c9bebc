import type { Clock } from '@tidemark/actors/internal';
import { ActorError } from '@tidemark/actors';
import type { Engine, Published } from '@tidemark/checkpoint/internal';
import { LAST_RETRY_MS, QUIET_LOOK_MS, STOP_APPLY_MS } from './limits.ts';

/**
 * Waits until nothing moves any more: two looks at quiet threads that show the same counts, and as many frames taken
 * as sent. Source: Mattern, "Algorithms for distributed termination detection", 1987 (four counters).
 */
export async function quiet(engine: Engine, clock: Clock): Promise<void> {
  for (let before = ''; ; ) {
    const sights = await engine.look();
    const sent = sights.reduce((sum, sight) => sum + sight.framesSent, 0);
    const taken = sights.reduce((sum, sight) => sum + sight.framesTaken, 0);
    const now = sights.every((sight) => sight.quiet) && sent === taken ? String(sent) : '';
    if (now !== '' && now === before) return;
    before = now;
    await delay(clock, QUIET_LOOK_MS);
  }
}

/** Takes a checkpoint, however often it must be tried: a job cannot end without it. */
export async function checkpointSurely(engine: Engine, clock: Clock): Promise<Published> {
  for (;;) {
    try {
      return await engine.checkpoint();
    } catch (error) {
      if (engine.over || wasRolledBack(error)) throw error;
      await delay(clock, LAST_RETRY_MS);
    }
  }
}

/**
 * Takes the last checkpoint of a run that is to stop, and gives the output a moment to take the batches that it names.
 * Batches that are left are in the checkpoint: the next start writes them first.
 */
export async function lastCheckpoint(
  engine: Engine,
  clock: Clock,
  applied: (position: number) => Promise<void>,
): Promise<Published> {
  for (;;) {
    // None later than this one: it is what the next start goes on from.
    await engine.hold();
    // What was under way was the end of the job, or of the system.
    if (engine.over) throw new ActorError('SYSTEM_STOPPED', 'the job ended while it was asked to stop');
    try {
      const published = await engine.checkpoint();
      await Promise.race([applied(published.position), delay(clock, STOP_APPLY_MS)]);
      return published;
    } catch (error) {
      if (!wasRolledBack(error)) throw error;
    }
  }
}

/** What was waited for is undone: the system has gone back to its newest checkpoint, and runs on from there. */
export function wasRolledBack(error: unknown): boolean {
  return error instanceof ActorError && error.code === 'ROLLED_BACK';
}

function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
