import type { Clock } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { OWNER_ORPHAN_MS, OWNER_RENEW_MS, OWNER_WATCH_MS } from './limits.ts';
import type { Processes } from './environment.ts';
import { nodeProcesses, type ProcessIdentity } from './process-identity.adapter.ts';

interface OwnerFile extends ProcessIdentity {
  readonly term: number;
  readonly since: string;
  readonly counter: number;
  readonly released: boolean;
}

const LOOK_MS = 50;
const WATCH_LOOK_MS = 1_000;

/**
 * Politeness: says "somebody runs here" before anything is written. Never what safety rests on (that is the log's put).
 */
export class Owner {
  readonly #store: Store;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #processes: Processes;
  #file: OwnerFile | null = null;
  #cancel: () => void = () => undefined;
  #renewing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(store: Store, job: string, clock: Clock, processes: Processes = nodeProcesses) {
    this.#processes = processes;
    this.#store = store;
    this.#name = `${job}/owner.json`;
    this.#clock = clock;
  }

  /**
   * Looks whether another process owns the job. An owner whose parent is gone is about to end: it gets a moment.
   *
   * @throws CheckpointError `ALREADY_RUNNING` naming host, pid and since when
   */
  async assertFree(): Promise<void> {
    const owner = await this.#read();
    if (owner === null || owner.released) return;
    const own = this.#processes.own();
    const sameMachine = owner.bootId !== '' && owner.bootId === own.bootId && owner.pidNamespace === own.pidNamespace;
    const alive = sameMachine ? await this.#watchProcess(owner) : await this.#watchCounter(owner);
    if (!alive) return;
    throw new CheckpointError(
      'ALREADY_RUNNING',
      `this job runs already: host ${owner.host}, pid ${owner.pid}, since ${owner.since} (term ${owner.term}, ${this.#store.url})`,
    );
  }

  /** From now on `owner.json` names this process; renewed while it lives. */
  async own(term: number): Promise<void> {
    this.#file = {
      ...this.#processes.own(),
      term,
      since: new Date(this.#clock.now()).toISOString(),
      counter: 0,
      released: false,
    };
    await this.#write();
    this.#renewLater();
  }

  /** A clean end: whoever comes next need not look for this process. */
  async release(): Promise<void> {
    this.stop();
    if (this.#file === null) return;
    // A renewal under way would say the opposite after us.
    await this.#renewing;
    // A later owner may have written its own name there: that is not ours to release.
    const now = await this.#read().catch(() => null);
    if (now !== null && now.term > this.#file.term) return;
    this.#file = { ...this.#file, released: true };
    await this.#write();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #renewLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(OWNER_RENEW_MS, () => {
      if (this.#file === null) return;
      this.#file = { ...this.#file, counter: this.#file.counter + 1 };
      this.#renewing = this.#write().finally(() => this.#renewLater());
    });
  }

  async #watchProcess(owner: OwnerFile): Promise<boolean> {
    const orphaned = !this.#processes.isAlive(owner.parentPid, owner.parentStartTicks);
    const until = this.#clock.monotonic() + (orphaned ? OWNER_ORPHAN_MS : 0);
    while (this.#processes.isAlive(owner.pid, owner.startTicks)) {
      if (this.#clock.monotonic() >= until) return true;
      await this.#wait(LOOK_MS);
    }
    return false;
  }

  /** Another machine: its clock says nothing to us, but its counter moves while it lives. */
  async #watchCounter(owner: OwnerFile): Promise<boolean> {
    const until = this.#clock.monotonic() + OWNER_WATCH_MS;
    while (this.#clock.monotonic() < until) {
      await this.#wait(WATCH_LOOK_MS);
      const now = await this.#read();
      if (now === null || now.released) return false;
      if (now.counter !== owner.counter || now.term !== owner.term) return true;
    }
    return false;
  }

  async #read(): Promise<OwnerFile | null> {
    try {
      return JSON.parse(new TextDecoder().decode(await this.#store.get(this.#name))) as OwnerFile;
    } catch (error) {
      // A torn or foreign file tells nothing; the log decides.
      if (error instanceof SyntaxError || (error instanceof StoreError && error.kind === 'absent')) return null;
      throw error;
    }
  }

  async #write(): Promise<void> {
    try {
      await this.#store.replace(this.#name, new TextEncoder().encode(`${JSON.stringify(this.#file)}\n`));
    } catch {
      // Politeness only: a store that refuses it refuses the next record too, and that is reported.
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(delayMs, resolve));
  }
}
