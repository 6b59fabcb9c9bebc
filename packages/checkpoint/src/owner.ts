import type { Clock } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { OWNER_LATE_MS, OWNER_ORPHAN_MS, OWNER_RENEW_MS, OWNER_WATCH_MS } from './limits.ts';
import type { Processes } from './environment.ts';
import { pause } from './pause.ts';
import { nodeProcesses, type ProcessIdentity } from './process-identity.adapter.ts';

/** Who has a job, and since when. */
export interface OwnerSeen {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601, for people. */
  readonly since: string;
  readonly term: number;
}

interface OwnerFile extends ProcessIdentity, OwnerSeen {
  readonly counter: number;
  readonly released: boolean;
}

const LOOK_MS = 50;
const WATCH_LOOK_MS = 1_000;
/** Between two looks of one who waits: soon enough, and nothing that a disk would feel. */
const WAIT_LOOK_MS = 200;

/**
 * Politeness: says "somebody runs here" before anything is written. Never what safety rests on (that is the log's put).
 */
export class Owner {
  readonly #store: Store;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #processes: Processes;
  readonly #ended: AbortSignal | undefined;
  /** Highest term that the file has shown. */
  #seen = 0;
  #file: OwnerFile | null = null;
  #cancel: () => void = () => undefined;
  #renewing: Promise<void> = Promise.resolve();
  #superseded: () => void = () => undefined;
  #stopped = false;

  /** @param ended ends every wait with its reason */
  constructor(store: Store, job: string, clock: Clock, processes: Processes = nodeProcesses, ended?: AbortSignal) {
    this.#processes = processes;
    this.#store = store;
    this.#name = `${job}/owner.json`;
    this.#clock = clock;
    this.#ended = ended;
  }

  /**
   * Looks whether another process owns the job. An owner whose parent is gone is about to end: it gets a moment.
   *
   * @throws CheckpointError `ALREADY_RUNNING` naming host, pid and since when
   */
  async assertFree(): Promise<void> {
    const owner = await this.#living();
    if (owner === null) return;
    throw new CheckpointError(
      'ALREADY_RUNNING',
      `this job runs already: host ${owner.host}, pid ${owner.pid}, since ${owner.since} (term ${owner.term}, ${this.#store.url})`,
    );
  }

  /**
   * Waits until nobody owns the job: each owner that is found is told once, and its release or its death ends the wait
   * for it.
   */
  async waitUntilFree(tell: (owner: OwnerSeen) => void): Promise<void> {
    for (let told = 0; ; ) {
      const owner = await this.#living();
      if (owner === null) return;
      if (owner.term !== told) tell(owner);
      told = owner.term;
      if ((await this.#untilChanged(owner)) === 'silent') return;
    }
  }

  /**
   * Somebody has put the begin of this term and has not written the file yet: waits a moment for it.
   *
   * @returns whether the file has news; a file that knew of that term already has none
   */
  async comes({ term, host, pid }: Pick<OwnerSeen, 'term' | 'host' | 'pid'>): Promise<boolean> {
    const died = host === this.#processes.own().host && !this.#processes.isAlive(pid, '');
    if (this.#seen >= term || died) return false;
    const until = this.#clock.monotonic() + OWNER_LATE_MS;
    while (this.#clock.monotonic() < until) {
      await this.#wait(LOOK_MS);
      await this.#read();
      if (this.#seen >= term) return true;
    }
    return false;
  }

  /**
   * From now on `owner.json` names this process; renewed while it lives.
   *
   * @param superseded called when the file names an owner of a later term: hearsay, the log knows
   */
  async own(term: number, superseded: () => void = () => undefined): Promise<void> {
    this.#cancel();
    this.#superseded = superseded;
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
    if (await this.#isAnothers(this.#file)) return;
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
      this.#renewing = this.#renew();
    });
  }

  async #renew(): Promise<void> {
    if (this.#file === null) return;
    if (await this.#isAnothers(this.#file)) {
      // Its name stays there: whoever comes next must find the owner, not the one before it.
      if (!this.#stopped) this.#superseded();
      return;
    }
    this.#file = { ...this.#file, counter: this.#file.counter + 1 };
    await this.#write();
    this.#renewLater();
  }

  async #isAnothers(file: OwnerFile): Promise<boolean> {
    const now = await this.#read().catch(() => null);
    return now !== null && now.term > file.term;
  }

  /** The owner, if there is one that lives. */
  async #living(): Promise<OwnerFile | null> {
    const owner = await this.#read();
    if (owner === null || owner.released) return null;
    const alive = this.#isNear(owner) ? await this.#watchProcess(owner) : await this.#watchCounter(owner);
    return alive ? owner : null;
  }

  /** On this machine, where its process can be looked at. */
  #isNear(owner: OwnerFile): boolean {
    const own = this.#processes.own();
    return owner.bootId !== '' && owner.bootId === own.bootId && owner.pidNamespace === own.pidNamespace;
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

  /** Returns when the owner's process or its file says something new, or when it says nothing any more from elsewhere. */
  async #untilChanged(owner: OwnerFile): Promise<'changed' | 'silent'> {
    const near = this.#isNear(owner);
    let last = owner;
    for (let movedAt = this.#clock.monotonic(); ; ) {
      await this.#wait(near ? WAIT_LOOK_MS : WATCH_LOOK_MS);
      if (near && !this.#processes.isAlive(owner.pid, owner.startTicks)) return 'changed';
      const now = await this.#readIfPossible();
      if (now === null || (now !== 'away' && (now.released || now.term !== owner.term))) return 'changed';
      // While the store is away nothing is known of an owner elsewhere, its death included.
      if (now === 'away' || now.counter !== last.counter) movedAt = this.#clock.monotonic();
      if (now !== 'away') last = now;
      if (!near && this.#clock.monotonic() - movedAt >= OWNER_WATCH_MS) return 'silent';
    }
  }

  /** Who waits for hours does not end because the store was away for a moment. */
  async #readIfPossible(): Promise<OwnerFile | null | 'away'> {
    try {
      return await this.#read();
    } catch (error) {
      if (error instanceof StoreError && (error.kind === 'retry' || error.kind === 'lost')) return 'away';
      throw error;
    }
  }

  async #read(): Promise<OwnerFile | null> {
    try {
      const file = JSON.parse(new TextDecoder().decode(await this.#store.get(this.#name))) as OwnerFile | null;
      this.#seen = Math.max(this.#seen, file?.term ?? 0);
      return file;
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
    return pause(this.#clock, delayMs, this.#ended);
  }
}
