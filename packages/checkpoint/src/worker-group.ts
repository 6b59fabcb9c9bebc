import {
  ActorError,
  assertSameDefinitions,
  type Clock,
  type DeadLetter,
  definedVersions,
  type HostSays,
  limits,
  type Sight,
  type StartWorker,
  type WorkerLine,
  type WorkerSays,
} from '@tidemark/actors/internal';
import { Inspections } from './inspections.ts';
import { inPieces } from './load-pieces.ts';
import type { Loads } from './recovery.ts';
import type { Seen } from './system-view.ts';

/** What a worker answers to the whole group's questions. */
export type Reply = Extract<WorkerSays, { readonly kind: 'ready' | 'loaded' | 'seen' | 'inspected' | 'letters' }>;

/** The host's talk with all workers of one generation together: start, load, look. Each ends when every worker has answered. */
export class WorkerGroup {
  readonly #lines: readonly WorkerLine[];
  readonly #clock: Clock;
  readonly #looks = new Questions<Sight>();
  readonly #inspections: Inspections;
  readonly #letters = new Questions<readonly DeadLetter[]>();
  #ready: (thread: number, versions: Readonly<Record<string, number>>) => void = () => undefined;
  #loaded: (thread: number) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;
  #failure: Error | null = null;

  constructor(lines: readonly WorkerLine[], clock: Clock) {
    this.#lines = lines;
    this.#clock = clock;
    this.#inspections = new Inspections(lines, clock);
  }

  say(thread: number, says: HostSays, transfer: readonly ArrayBuffer[] = []): void {
    this.#lines[thread - 1].say(says, transfer);
  }

  sayAll(says: HostSays): void {
    for (const line of this.#lines) line.say(says);
  }

  heard(thread: number, says: Reply): void {
    switch (says.kind) {
      case 'ready':
        this.#ready(thread, says.versions);
        return;
      case 'loaded':
        this.#loaded(thread);
        return;
      case 'seen':
        this.#looks.answer(says.id, says.sight);
        return;
      case 'inspected':
        this.#inspections.heard(thread, says.id, says.view);
        return;
      case 'letters':
        this.#letters.answer(says.id, says.letters);
        return;
    }
  }

  /** Whatever is waited for will not come. */
  fail(error: Error): void {
    this.#failure = error;
    this.#failed(error);
    this.#looks.fail(error);
    this.#letters.fail(error);
    this.#inspections.end();
  }

  /** @throws ActorError `DEFINITIONS_DIFFER`, `WORKER_START` */
  start(start: Omit<StartWorker, 'kind' | 'thread'>): Promise<void> {
    const ours = definedVersions();
    return this.#each('loaded its modules', (done) => {
      this.#ready = (thread, versions) => {
        assertSameDefinitions(thread, versions, ours);
        done(thread);
      };
      for (const { thread, say } of this.#lines) say({ kind: 'start', thread, ...start });
    });
  }

  /** Gives every worker its units and its motion back. */
  load(loads: Loads): Promise<void> {
    return this.#each('restored its state', (done) => {
      const open = new Map<number, number>();
      this.#loaded = (thread) => {
        const left = (open.get(thread) ?? 0) - 1;
        open.set(thread, left);
        if (left === 0) done(thread);
      };
      for (const { thread, say } of this.#lines) {
        const pieces = inPieces(loads[thread]);
        open.set(thread, pieces.length);
        for (const piece of pieces) say({ kind: 'load', ...piece });
      }
    });
  }

  look(): Promise<readonly Sight[]> {
    return this.#askAll(this.#looks, (id) => ({ kind: 'look', id }));
  }

  /** What was set aside, of each worker. */
  letters(): Promise<readonly (readonly DeadLetter[])[]> {
    return this.#askAll(this.#letters, (id) => ({ kind: 'list-letters', id }));
  }

  /** Asks each worker what it does; one that has not answered in time is silent. */
  inspect(timeoutMs: number): Promise<Seen> {
    return this.#inspections.look(timeoutMs);
  }

  #askAll<T>(questions: Questions<T>, question: (id: number) => HostSays): Promise<readonly T[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return Promise.all(this.#lines.map(({ say }) => questions.ask((id) => say(question(id)))));
  }

  /** Waits until each worker is done, within the boot deadline. */
  #each(what: string, begin: (done: (thread: number) => void) => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const missing = new Set(this.#lines.map(({ thread }) => thread));
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(limits.BOOT_MS, () => {
        const who = [...missing].join(', ');
        reject(new ActorError('WORKER_START', `worker ${who} has not ${what} within ${limits.BOOT_MS} ms`));
      });
      this.#failed = (error) => {
        cancel();
        reject(error);
      };
      begin((thread) => {
        missing.delete(thread);
        if (missing.size > 0) return;
        cancel();
        resolve();
      });
    });
  }
}

/** Questions to workers that are not yet answered. */
class Questions<T> {
  readonly #open = new Map<number, { resolve(answer: T): void; reject(error: Error): void }>();
  #next = 0;

  ask(say: (id: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#open.set(id, { resolve, reject });
      say(id);
    });
  }

  answer(id: number, answer: T): void {
    this.#open.get(id)?.resolve(answer);
    this.#open.delete(id);
  }

  fail(error: Error): void {
    for (const question of this.#open.values()) question.reject(error);
    this.#open.clear();
  }
}
