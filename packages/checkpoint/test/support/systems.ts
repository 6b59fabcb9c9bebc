import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystem, type EngineEvent, type System, type SystemOptions } from '@tidemark/checkpoint';
import { afterEach } from 'vitest';

const actors = [new URL('../fixtures/actors.mjs', import.meta.url)];

/** What a test has started and put on the disk; all of it is gone after the test. */
export class Systems {
  readonly events: EngineEvent[] = [];
  readonly #systems: System[] = [];
  readonly #folders: string[] = [];

  constructor() {
    afterEach(() => this.#end());
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-system-'));
    this.#folders.push(folder);
    return folder;
  }

  /** A system of the fixtures' actors; without a schedule that would take checkpoints of its own accord. */
  async start(options: Partial<SystemOptions> = {}): Promise<System> {
    const observe = options.observe ?? ((event: EngineEvent) => void this.events.push(event));
    const system = await createSystem({ actors, workers: 2, schedule: '1h', ...options, observe });
    // What the fixtures print is for tests to look at.
    system.on('log', () => undefined);
    this.#systems.push(system);
    return system;
  }

  async #end(): Promise<void> {
    this.events.length = 0;
    for (const system of this.#systems.splice(0)) await system.stop().catch(() => undefined);
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}
