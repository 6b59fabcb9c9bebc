import { StoreError } from '../errors.ts';
import type { Store } from '../store.ts';
import { uniqueName } from '../unique-name.ts';

/** One promise of the contract, and whether the place keeps it. */
export interface Finding {
  /** The promise, in words. */
  readonly check: string;
  /** Null where it could not be looked at. */
  readonly ok: boolean | null;
  /** What was seen. */
  readonly seen: string;
  /** What to do when it is not kept. */
  readonly remedy: string | null;
}

/** How long a call takes, in milliseconds. */
export interface Latency {
  readonly call: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Examined {
  readonly url: string;
  readonly findings: readonly Finding[];
  readonly latencies: readonly Latency[];
}

/** Milliseconds: of the day, since 1970, and on a scale that never goes back. */
export interface ExamineClock {
  now(): number;
  monotonic(): number;
}

export interface ExamineOptions {
  readonly clock: ExamineClock;
  /** Milliseconds for all of it; what is not begun by then is left out, and says so. */
  readonly withinMs?: number;
}

const WITHIN_MS = 9_000;
const CALL_MS = 5_000;
const SMALL_BYTES = 1_000;
const LARGE_BYTES = 1_000_000;
const RACES = 5;
const RACERS = 10;
const LISTINGS = 5;
const TIMED_CALLS = 20;
/** Time that the timed calls may take of the whole. */
const TIMED_SHARE = 0.4;
/** What clocks may differ by before people are misled; nothing that must be true depends on them. */
const SKEW_MS = 60_000;

/**
 * Proves what a place promises by using it: two stores are opened, as two processes would, and write against each other under
 * a name of their own, which is removed at the end.
 *
 * @param open opens the place; asked twice
 * @throws what opening throws
 */
export async function examineStore(open: () => Promise<Store>, options: ExamineOptions): Promise<Examined> {
  const one = await open();
  try {
    const other = await open();
    try {
      return await new Examination(one, other, options).run();
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}

class Examination {
  readonly #one: Store;
  readonly #other: Store;
  readonly #clock: ExamineClock;
  readonly #beganAt: number;
  readonly #withinMs: number;
  /** One folder for all examinations: not every place removes a folder with the last object in it. */
  readonly #prefix = `tidemark-doctor/${uniqueName()}`;
  readonly #findings: Finding[] = [];
  readonly #times = new Map<string, number[]>();
  readonly #names: string[] = [];

  constructor(one: Store, other: Store, { clock, withinMs = WITHIN_MS }: ExamineOptions) {
    this.#one = one;
    this.#other = other;
    this.#clock = clock;
    this.#beganAt = clock.monotonic();
    this.#withinMs = withinMs;
  }

  async run(): Promise<Examined> {
    try {
      this.#supports();
      await this.#check('may write and read', RIGHTS, () => this.#reads());
      await this.#check('of two writers of one name, one wins', UNSAFE, () => this.#races());
      await this.#check('a name that is taken stays as it is', UNSAFE, () => this.#refuses());
      await this.#check('a listing shows what was put before it', UNSAFE, () => this.#lists());
      await this.#check('the clock is about ours', SET_CLOCK, () => this.#clocks());
      await this.#time();
    } finally {
      await this.#check('may delete', RIGHTS, () => this.#cleanUp());
    }
    return { url: this.#one.url, findings: this.#findings, latencies: this.#latencies() };
  }

  get #left(): number {
    return this.#withinMs - (this.#clock.monotonic() - this.#beganAt);
  }

  /** `look` answers what it saw, and whether that is as it must be. */
  async #check(check: string, remedy: string, look: () => Promise<readonly [boolean | null, string]>): Promise<void> {
    if (this.#left <= 0) {
      this.#findings.push({ check, ok: null, seen: 'no time was left for it', remedy: SLOW });
      return;
    }
    try {
      const [ok, seen] = await look();
      this.#findings.push({ check, ok, seen, remedy: ok === false ? remedy : null });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#findings.push({ check, ok: false, seen: `${error.code}: ${error.message}`, remedy });
    }
  }

  /** What the store says of itself. */
  #supports(): void {
    const { durable, sharedPutIfAbsent } = this.#one.supports;
    const say = (check: string, ok: boolean, seen: string, remedy: string): void =>
      void this.#findings.push({ check, ok, seen, remedy: ok ? null : remedy });
    say('what is stored outlives this process', durable, durable ? 'yes' : 'it ends with the process', UNSAFE);
    const shared = sharedPutIfAbsent ? 'yes' : 'only inside one process';
    say('writers on other machines are seen', sharedPutIfAbsent, shared, UNSAFE);
  }

  async #reads(): Promise<readonly [boolean, string]> {
    for (const size of [SMALL_BYTES, LARGE_BYTES]) {
      const bytes = pattern(size);
      const name = this.#name('read');
      await this.#timed('put', () => this.#one.put(name, bytes, CALL));
      const whole = await this.#timed('get', () => this.#other.get(name, CALL));
      if (Buffer.compare(whole, bytes) !== 0) return [false, `${size} bytes came back as others`];
      const range = await this.#other.get(name, { ...CALL, offset: 100, length: 50 });
      if (Buffer.compare(range, bytes.subarray(100, 150)) !== 0) return [false, 'a range came back as other bytes'];
    }
    return [true, `${SMALL_BYTES} and ${LARGE_BYTES} bytes came back as they were, and a range of them`];
  }

  async #races(): Promise<readonly [boolean, string]> {
    let races = 0;
    for (; races < RACES && this.#left > 0; races++) {
      const name = this.#name('race');
      const bodies = Array.from({ length: RACERS }, (_, i) => pattern(200 + i));
      const outcomes = await Promise.all(
        bodies.map((body, i) => this.#outcome((i % 2 === 0 ? this.#one : this.#other).putIfAbsent(name, body, CALL))),
      );
      const winners = outcomes.flatMap((outcome, i) => (outcome === 'stored' ? [bodies[i]] : []));
      const found = await this.#one.get(name, CALL);
      if (winners.length > 1) return [false, `${winners.length} of ${RACERS} were told that they had won`];
      if (winners.length === 1 && Buffer.compare(found, winners[0]) !== 0)
        return [false, 'the loser is what is stored'];
    }
    return [true, `${races} races of ${RACERS}, never two winners`];
  }

  /** An error is an outcome too: who does not know whether it has won, has not been told that it has. */
  async #outcome(put: Promise<'stored' | 'taken'>): Promise<'stored' | 'taken' | 'unknown'> {
    try {
      return await put;
    } catch (error) {
      if (error instanceof StoreError) return 'unknown';
      throw error;
    }
  }

  async #refuses(): Promise<readonly [boolean, string]> {
    const name = this.#name('taken');
    const first = pattern(300);
    await this.#one.put(name, first, CALL);
    const again = await this.#timed('put if absent', () => this.#other.putIfAbsent(name, pattern(301), CALL));
    const refused = await this.#other.put(name, pattern(302), CALL).then(
      () => null,
      (error: unknown) => error,
    );
    if (again === 'stored' || refused === null) return [false, 'it was overwritten'];
    if (!(refused instanceof StoreError)) throw refused;
    if (refused.code !== 'STORE_NAME_TAKEN') throw refused;
    const found = await this.#one.get(name, CALL);
    return [Buffer.compare(found, first) === 0, 'a second put was refused, and the object is the first one'];
  }

  async #lists(): Promise<readonly [boolean, string]> {
    let listings = 0;
    for (; listings < LISTINGS && this.#left > 0; listings++) {
      const name = this.#name('listed');
      await this.#one.put(name, pattern(10), CALL);
      const names = await this.#timed('list', () => this.#other.list(this.#prefix, CALL));
      if (!names.includes(name)) return [false, `${name} was put, and not in the listing after it`];
    }
    return [true, `${listings} of ${listings} listings by another client showed the newest object`];
  }

  async #clocks(): Promise<readonly [boolean | null, string]> {
    if (this.#one.storedAt === undefined) return [null, 'this store does not tell when an object was stored'];
    const name = this.#name('clock');
    const before = this.#clock.now();
    await this.#one.put(name, pattern(10), CALL);
    const after = this.#clock.now();
    const stored = await this.#one.storedAt(name, CALL);
    // Some places tell whole seconds.
    const skew = stored < before - 1_000 ? stored - before : stored > after + 1_000 ? stored - after : 0;
    const seen =
      skew === 0 ? 'within a second' : `${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead'}`;
    return [Math.abs(skew) < SKEW_MS, seen];
  }

  /** As many small calls of each kind as there is time for. */
  async #time(): Promise<void> {
    const until = this.#left - this.#withinMs * TIMED_SHARE;
    for (let i = 0; i < TIMED_CALLS && this.#left > Math.max(until, 0); i++) {
      const name = this.#name('timed');
      const bytes = pattern(SMALL_BYTES);
      try {
        await this.#timed('put if absent', () => this.#one.putIfAbsent(name, bytes, CALL));
        await this.#timed('get', () => this.#one.get(name, CALL));
        await this.#timed('list', () => this.#one.list(this.#prefix, CALL));
      } catch (error) {
        if (error instanceof StoreError) return;
        throw error;
      }
    }
  }

  async #cleanUp(): Promise<readonly [boolean, string]> {
    await Promise.all(this.#names.map((name) => this.#one.delete(name, CALL)));
    const left = await this.#one.list(this.#prefix, CALL);
    return [left.length === 0, left.length === 0 ? 'nothing of this is left' : `${left.length} objects are left`];
  }

  #name(what: string): string {
    const name = `${this.#prefix}-${what}-${this.#names.length}`;
    this.#names.push(name);
    return name;
  }

  async #timed<T>(call: string, work: () => Promise<T>): Promise<T> {
    const from = this.#clock.monotonic();
    const result = await work();
    const times = this.#times.get(call) ?? [];
    times.push(this.#clock.monotonic() - from);
    this.#times.set(call, times);
    return result;
  }

  #latencies(): readonly Latency[] {
    return [...this.#times].map(([call, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
      return { call, count: sorted.length, p50: at(0.5), p99: at(0.99) };
    });
  }
}

const CALL = { deadlineMs: CALL_MS };

const RIGHTS = 'Give this user the right to read, write, list and delete there.';
const UNSAFE = 'Do not keep checkpoints there: two owners could both believe that they own a job. Use another place.';
const SET_CLOCK = 'Set the clocks by NTP. Nothing that must be true depends on them; times that people read do.';
const SLOW = 'The place is slow: look at the latencies, and at the network.';

/** Bytes that differ by their number, and do not repeat in the places where things are cut. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) * 7 + size) & 0xff);
}
