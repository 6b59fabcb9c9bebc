import type { AnyActor, AskOptions, Asks, Ref, Service, TellsWhenRoom, ThreadSettings } from '@tidemark/actors';
import { ActorError, loadModule } from '@tidemark/actors/internal/worker';
import type { Compression } from './compression.ts';
import type { CopyOptions } from './copies.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { EngineOptions } from './engine-options.ts';
import { insideWorker } from './inside.ts';
import type { KeepOptions } from './keep.ts';
import { isProgram } from './program.ts';
import type { Savepoint } from './savepoints.ts';
import type { ScheduleOption } from './schedule.ts';
import type { SystemEvents } from './system-events.ts';
import type { InspectOptions, SystemView } from './system-view.ts';
import type { IfRunning } from './take-over.ts';

export interface SystemOptions extends ThreadSettings {
  /** Modules that define the actors; every worker imports them. */
  readonly actors: readonly URL[];
  /** Folder or store URL for the checkpoints; without one the system starts anew each time. */
  readonly store?: string;
  /** Worker threads; as many as there are cores when not given. */
  readonly workers?: number;
  /** When checkpoints are taken: `1s` when not given; an interval, a cron expression, or more than that as an object. */
  readonly schedule?: ScheduleOption;
  /** Of a cron expression, as `Europe/Berlin`. */
  readonly timezone?: string;
  /** Checkpoints kept at least: so many of the newest (10 when not given; Infinity keeps all), and of hours, days, weeks. */
  readonly keep?: number | KeepOptions;
  /** How parts of checkpoints are stored; `none` when not given. `zstd` needs Node 22.15, `snappy` the package of that name. */
  readonly compression?: Compression;
  /** Bytes of a checkpoint that may wait for the store, 512 MiB when not given: with more, that checkpoint is declined. */
  readonly captureBytesMax?: number;
  /** Copies of the checkpoints in other stores, each on a schedule of its own. */
  readonly copies?: readonly CopyOptions[];
  /** Name under which the checkpoints lie in the store; `main` when not given. */
  readonly name?: string;
  /** Everything in this thread, for a debugger. */
  readonly inline?: boolean;
  /** Begin anew, whatever the store holds. */
  readonly fresh?: boolean;
  /** Goes on from the checkpoint at this position instead of the newest one: a savepoint, for example. */
  readonly from?: number;
  /** With `from`: accepts that what was released after it is released again. */
  readonly acceptDuplicates?: boolean;
  /** Actors whose state and messages in the checkpoint are given up: state that the program does not define is an error otherwise. */
  readonly drop?: readonly string[];
  /** New names of actors by the names that they have in the checkpoint. Refs to them get the new names too. */
  readonly rename?: Readonly<Record<string, string>>;
  /**
   * What to do when another process has this store's checkpoints: end with `ALREADY_RUNNING` (`fail`, the default),
   * wait until it has ended (`wait`), or go on without it (`take-over`): it is fenced, and ends with `FENCED`.
   */
  readonly ifRunning?: IfRunning;
  /** Told about everything from the very start, before `on` can be called. */
  readonly observe?: EngineOptions['observe'];
}

/** A running system of actors, as the app that made it sees it. */
export interface System extends AsyncDisposable {
  ref<D extends AnyActor>(definition: D, key: string): Ref<D>;
  /** Sends; resolves when there was room. What is sent before a checkpoint's cut is never lost after it. */
  tell<D>(to: Ref<D>): TellsWhenRoom<D>;
  /**
   * Sends and waits for what the handler returns. Rejects with `ROLLED_BACK` when the system went back to a checkpoint from
   * before it was sent: nothing of it was done, ask again.
   */
  ask<H>(to: Service<H>, options?: AskOptions): Asks<Service<H>>;
  ask<D extends AnyActor>(to: Ref<D>, options?: AskOptions): Asks<D>;
  /** Messages whose turns threw after their actor had thrown before: set aside, part of every checkpoint. */
  readonly deadLetters: DeadLetters;
  /** Takes a checkpoint of everything up to now; resolves when it is durable. */
  checkpoint(): Promise<{ readonly cut: number; readonly position: number }>;
  /**
   * Takes a checkpoint of everything up to now and pins it: it stays until `tidemark unpin`, whatever `keep` says.
   *
   * @param label a letter, then letters, digits, `.`, `_`, `-`; `savepoint-<position>` when not given
   * @throws CheckpointError `LABEL_INVALID`, `PIN_TAKEN` when the label is in use
   * @example const { position } = await system.savepoint('before-upgrade');
   */
  savepoint(label?: string): Promise<Savepoint>;
  /** Takes a last checkpoint and ends the workers; rejects when that checkpoint could not be taken. */
  stop(): Promise<void>;
  /**
   * Listens to what happens: `checkpoint`, `checkpoint-failed`, `rolled-back`, `warning`, `log` (what `ctx.log` writes, and workers to
   * their standard streams), `stopped`, and more (docs/looking-inside.md), until the returned function is called. Logs that nobody
   * listens to go to stdout and stderr (what is printed even if `observe` hears it), warnings become warnings of the process. What
   * happens before `createSystem` resolves is heard by `observe` alone.
   *
   * @example
   * system.on('rolled-back', ({ code, durationMs }) => console.error(`went back after ${code}, in ${durationMs} ms`));
   */
  on<K extends keyof SystemEvents>(kind: K, listener: (event: SystemEvents[K]) => void): () => void;
  /**
   * Looks inside: what each thread uses and has waiting, the fullest and the most active actors, counts of messages. Each
   * worker answers between two turns; one that does not within `timeoutMs` is told as silent.
   *
   * @throws ActorError `SYSTEM_STOPPED`
   * @example
   * const { threads, fullest } = await system.inspect();
   * for (const { type, key, messages } of fullest) console.log(`${type}/${key} has ${messages} messages waiting`);
   */
  inspect(options?: InspectOptions): Promise<SystemView>;
  /**
   * Ends the thread of a worker, 1 … n, whatever it does, as a call of a service that heeds no signal (`service-hung`). It is a death
   * like any other: another thread takes its place, and the system goes back to its newest checkpoint; one without a store ends.
   * Resolves when it runs again, or has ended.
   *
   * @throws CheckpointError `WORKERS_INVALID` for a thread that is no worker; ActorError `SYSTEM_STOPPED`
   * @example
   * system.on('service-hung', ({ thread, service }) => {
   *   if (service === 'reports' && thread > 0) void system.endWorker(thread);
   * });
   */
  endWorker(thread: number): Promise<void>;
  /** Resolves when the system has stopped; rejects with the reason when it failed. */
  readonly done: Promise<void>;
}

/**
 * Starts a system of actors in worker threads. With a `store` it goes on from the newest good checkpoint.
 *
 * @throws ActorError `NOT_ON_HOST` in a worker; `ACTORS_NOT_FOUND`, `DEFINITIONS_DIFFER`
 * @throws CheckpointError `ALREADY_RUNNING`, `CHECKPOINT_DAMAGED`, `SCHEDULE_INVALID`, …
 * @example
 * const system = await createSystem({ actors: [new URL('./bank.js', import.meta.url)], store: './checkpoints' });
 * await system.tell(system.ref(Account, 'alice')).deposit(10);
 * await system.stop();
 */
export async function createSystem(options: SystemOptions): Promise<System> {
  if (insideWorker()) {
    throw new ActorError(
      'NOT_ON_HOST',
      'createSystem was called while a worker loads this module; put the host part into main(import.meta, …) or into a file of its own',
    );
  }
  for (const url of options.actors) await loadModule(url.href);
  const { startSystem } = await import('./running-system.ts');
  return startSystem(options);
}

/**
 * Host part of a one-file program: its actors are this file's. Does nothing in a worker, and nothing when the file is
 * not the program itself. Stops the system at the end.
 *
 * @example
 * await main(import.meta, { store: './checkpoints' }, async (system) => {
 *   await system.tell(system.ref(Counter, 'a')).add(1);
 * });
 */
export async function main(
  meta: ImportMeta,
  options: Omit<SystemOptions, 'actors'>,
  run: (system: System) => Promise<void>,
): Promise<void> {
  if (insideWorker() || !isProgram(meta)) return;
  // Not by createSystem: this module, which has registered its actors, would wait for its own end.
  const { startSystem } = await import('./running-system.ts');
  const system = await startSystem({ ...options, actors: [new URL(meta.url)] });
  const failed = new Promise<never>((_, reject) => void system.done.catch(reject));
  try {
    await Promise.race([run(system), failed]);
  } finally {
    await system.stop();
  }
}
