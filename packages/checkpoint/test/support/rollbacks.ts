import { homeOfGroup, keyGroup } from '@tidemark/actors/internal';
import type { EngineEvent, System } from '@tidemark/checkpoint';
import { expect, vi } from 'vitest';
import { Echo } from '../fixtures/actors.mjs';
import type { Systems } from './systems.ts';

type RolledBack = Extract<EngineEvent, { readonly kind: 'rolled-back' }>;

/** The rollbacks that a test's systems tell of. */
export function rollbacksOf(systems: Systems): {
  rollbacks(): readonly RolledBack[];
  /** Waits for the `count`-th one. */
  rolledBack(count?: number): Promise<RolledBack>;
} {
  const rollbacks = (): readonly RolledBack[] => systems.events.filter((event) => event.kind === 'rolled-back');
  return {
    rollbacks,
    async rolledBack(count = 1) {
      const options = { timeout: 30_000, interval: 5 };
      await vi.waitFor(() => expect(rollbacks().length).toBeGreaterThanOrEqual(count), options);
      return rollbacks()[count - 1];
    },
  };
}

/** A key of an actor that lives at that worker; another one for each `from`. */
export function keyAt(type: string, worker: number, workers: number, from = 0): string {
  for (let n = from * 1_000; ; n++) if (homeOfGroup(keyGroup(type, `k${n}`), workers) === worker) return `k${n}`;
}

/** The thread of each worker. */
export function threadsOf(system: System, workers: number): Promise<number[]> {
  const keys = Array.from({ length: workers }, (_, index) => keyAt('echo', index + 1, workers));
  return Promise.all(keys.map((key) => system.ask(system.ref(Echo, key)).thread()));
}
