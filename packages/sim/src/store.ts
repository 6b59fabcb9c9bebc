import { type CallOptions, type GetOptions, type ListOptions, type Store, StoreError } from '@tidemark/stores';
import { checkName, checkPrefix, refuseTooLarge } from '@tidemark/stores/internal';
import type { Disk } from './disk.ts';
import type { Lane, LaneOwner } from './lane.ts';
import type { World } from './world.ts';

/** What becomes of one call. */
export type StoreFault =
  | 'none'
  /** Surely nothing was done, and the store says so. */
  | 'refused'
  /** Carried out, and the answer is lost. */
  | 'answer-lost'
  /** Not carried out, and the answer is lost. */
  | 'request-lost'
  /** The answer is lost; the store carries it out much later, also after its caller's death. */
  | 'late'
  /** Everything takes long. */
  | 'slow'
  /** The store refuses for good. */
  | 'fatal'
  /** A listing looks at its first half earlier than at the second, as one does that comes in pages. */
  | 'torn';

export type StoreCall = 'put' | 'putIfAbsent' | 'replace' | 'get' | 'list' | 'delete';

/** Which of them a caller could not tell from success: a read has no effect that could be in doubt. */
export const READS: ReadonlySet<StoreCall> = new Set(['get', 'list']);

/** What stands between a process and the store: decides faults, sees calls, and may be a planted bug. */
export interface StoreHost extends LaneOwner {
  readonly name: string;
  /** Asked once for each call. */
  fault(call: StoreCall, name: string, bytes: Uint8Array | null): StoreFault;
  /** A call has begun, has taken effect, has been answered. */
  saw(stage: 'called' | 'effect' | 'answered', call: StoreCall, name: string, bytes: Uint8Array | null): void;
  /** The process lives: answers reach it. */
  readonly alive: boolean;
  readonly lies: StoreLies;
}

/** What a lying store does wrongly; nothing of it happens unless a planted bug asks for it. */
export interface StoreLies {
  /** Says `stored` or nothing before anything has happened. */
  readonly answerFirst?: (name: string) => boolean;
  /** Says `stored` where the name was taken. */
  readonly takenIsStored?: (disk: Disk, name: string, bytes: Uint8Array, by: string) => void;
  /** Says that it stored these names, and does not. */
  readonly forgets?: (name: string) => boolean;
  /** Deletes these, too. */
  readonly deletesToo?: (disk: Disk, name: string) => readonly string[];
  /** Says `nothing was done` where it does not know. */
  readonly doubtIsNothing?: boolean;
  /** Objects stay volatile for ever. */
  readonly neverSyncs?: boolean;
  readonly lists?: (names: readonly string[], prefix: string) => readonly string[];
}

/** Largest virtual milliseconds to the effect, and from there to the answer. */
const WAY_MS = 8;
const SLOW_MS = 20_000;
const LATE_MS = 90_000;
/** Share of the calls of a dead process that still take effect. */
const SURVIVING_SHARE = 0.5;

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/**
 * The store as one process sees it: calls travel, take effect at one instant, and their answers travel back.
 *
 * Keeps the contract of `Store` (S1–S5), whatever the faults; its conformance test says so.
 */
export class SimStore implements Store {
  readonly url = 'sim:disk';
  readonly supports = { durable: true, sharedPutIfAbsent: true } as const;
  readonly #world: World;
  readonly #disk: Disk;
  readonly #host: StoreHost;
  /** Where effects happen: they belong to no process. */
  readonly #effects: Lane;
  readonly #answers: Lane;

  constructor(world: World, disk: Disk, host: StoreHost, effects: Lane, answers: Lane) {
    this.#world = world;
    this.#disk = disk;
    this.#host = host;
    this.#effects = effects;
    this.#answers = answers;
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    checkName(name);
    this.#refuseAborted(name, options.signal);
    const bytes = body instanceof Uint8Array ? new Uint8Array(body) : await this.#gather(name, body, options.signal);
    await this.#call('put', name, bytes, options.signal, () => {
      if (this.#disk.has(name)) {
        throw new StoreError('fatal', 'STORE_NAME_TAKEN', `${name} is taken`);
      }
      this.#store(name, bytes);
    });
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    checkName(name);
    const own = new Uint8Array(bytes);
    return this.#call('putIfAbsent', name, own, options.signal, () => {
      const { lies } = this.#host;
      if (this.#disk.has(name)) {
        if (lies.takenIsStored === undefined) return 'taken';
        lies.takenIsStored(this.#disk, name, own, this.#host.name);
        return 'stored';
      }
      this.#store(name, own);
      return 'stored';
    });
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    checkName(name);
    const own = new Uint8Array(bytes);
    await this.#call('replace', name, own, options.signal, () => this.#store(name, own));
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length } = options;
    if (!isCount(offset) || !isCount(length ?? 0)) throw new RangeError(`get: offset ${offset}, length ${length}`);
    checkName(name);
    return this.#call('get', name, null, options.signal, () => {
      const bytes = this.#disk.get(name);
      if (bytes === undefined) throw new StoreError('absent', 'STORE_ABSENT', `there is no ${name}`);
      const range = bytes.slice(offset, length === undefined ? undefined : offset + length);
      refuseTooLarge(range.length, options.bytesMax, name, this.url);
      return range;
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkPrefix(prefix);
    const { after = '' } = options;
    return this.#call('list', prefix, null, options.signal, () => {
      const names = this.#disk.names(prefix).filter((name) => name > after);
      return this.#host.lies.lists?.(names, prefix) ?? names;
    });
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    checkName(name);
    await this.#call('delete', name, null, options.signal, () => {
      const more = this.#host.lies.deletesToo?.(this.#disk, name) ?? [];
      for (const each of [name, ...more]) this.#disk.delete(each, this.#host.name);
    });
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  #store(name: string, bytes: Uint8Array): void {
    if (this.#host.lies.forgets?.(name) === true) return;
    this.#disk.set(name, bytes, this.#host.name);
  }

  /** Blocks are taken as they come; of a process that dies meanwhile nothing is ever seen. */
  async #gather(name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const blocks: Uint8Array[] = [];
    for await (const block of body) {
      this.#refuseAborted(name, signal);
      blocks.push(new Uint8Array(block));
    }
    return new Uint8Array(Buffer.concat(blocks));
  }

  #call<T>(
    call: StoreCall,
    name: string,
    bytes: Uint8Array | null,
    signal: AbortSignal | undefined,
    effect: () => T,
  ): Promise<T> {
    this.#refuseAborted(name, signal);
    const host = this.#host;
    const fault = host.fault(call, name, bytes);
    host.saw('called', call, name, bytes);
    return new Promise<T>((resolve, reject) => {
      const answer = (outcome: Outcome): void => {
        if (!READS.has(call)) this.#disk.sync(name);
        host.saw('answered', call, name, bytes);
        if (outcome.ok) resolve(outcome.value as T);
        else reject(outcome.error);
      };
      this.#travel({ call, name, bytes, fault, signal, effect, answer });
    });
  }

  #travel(way: {
    readonly call: StoreCall;
    readonly name: string;
    readonly bytes: Uint8Array | null;
    readonly fault: StoreFault;
    readonly signal: AbortSignal | undefined;
    readonly effect: () => unknown;
    readonly answer: (outcome: Outcome) => void;
  }): void {
    const { call, name, bytes, fault, signal, effect, answer } = way;
    const { chance } = this.#world;
    const { boot } = this.#disk;
    const host = this.#host;
    const speed = fault === 'slow' ? SLOW_MS : WAY_MS;
    const there = chance.skewed(speed);
    const back = chance.skewed(speed);
    const reply = (outcome: Outcome): void => void this.#world.after(this.#answers, back, () => answer(outcome));
    // Null when it never happens, because nobody is left who wants it. */
    const happen = (): Outcome | null => {
      if (this.#disk.boot !== boot) return null;
      if (!host.alive && fault !== 'late' && !chance.isTrue(SURVIVING_SHARE)) return null;
      if (signal?.aborted === true) return { ok: false, error: aborted(name, signal) };
      try {
        const value = effect();
        host.saw('effect', call, name, bytes);
        return { ok: true, value };
      } catch (error) {
        return { ok: false, error };
      }
    };
    const failure = (): Outcome => ({ ok: false, error: failureOf(fault, call, name, host.lies) });
    if (fault === 'refused' || fault === 'fatal' || fault === 'request-lost') reply(failure());
    else if (fault === 'late') {
      reply(failure());
      this.#world.after(this.#effects, back + 1 + chance.skewed(LATE_MS), () => {
        // Stores that do such things are far away: no power cut here undoes it.
        if (happen()?.ok === true) this.#disk.sync(name);
      });
    } else if (host.lies.answerFirst?.(name) === true && call !== 'get' && call !== 'list') {
      // A lie: what has not happened cannot be known.
      reply({ ok: true, value: 'stored' });
      this.#world.after(this.#effects, back + there * 4, () => void happen());
    } else {
      this.#world.after(this.#effects, there, () => {
        const outcome = happen();
        if (fault === 'torn' && outcome?.ok === true) {
          this.#world.after(this.#effects, chance.skewed(SLOW_MS / 10), () => {
            const second = happen();
            if (second?.ok === true) reply({ ok: true, value: joined(outcome.value, second.value) });
          });
          return;
        }
        if (outcome === null) return;
        reply(fault === 'answer-lost' ? failure() : outcome);
      });
    }
  }

  #refuseAborted(name: string, signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) throw aborted(name, signal);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Names up to the middle of the first look, and those behind it of the second. */
function joined(first: unknown, second: unknown): readonly string[] {
  const [before, after] = [first as readonly string[], second as readonly string[]];
  const middle = before[before.length >> 1] ?? '';
  return [...before.filter((name) => name <= middle), ...after.filter((name) => name > middle)];
}

function aborted(name: string, signal: AbortSignal): StoreError {
  return new StoreError('retry', 'STORE_ABORTED', `the caller aborted the call for ${name}`, { cause: signal.reason });
}

function failureOf(fault: StoreFault, call: StoreCall, name: string, lies: StoreLies): StoreError {
  if (fault === 'fatal') return new StoreError('fatal', 'STORE_IO', `simulated: the store refuses ${call} ${name}`);
  const doubt = fault === 'answer-lost' || fault === 'request-lost' || fault === 'late';
  if (!doubt || READS.has(call) || lies.doubtIsNothing === true) {
    return new StoreError('retry', 'STORE_BUSY', `simulated: ${call} ${name} was not carried out`);
  }
  return new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', `simulated: no answer to ${call} ${name}`);
}
