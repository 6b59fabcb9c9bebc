import { Alarms } from './alarms.ts';
import type { Cell } from './cell.ts';
import { REQUEST_KEPT_MS } from './limits.ts';

/** What becomes due in an actor. */
interface ActorAlarm {
  readonly at: number;
  readonly cell: Cell;
  readonly kind: 'timer' | 'timeout' | 'forget-request';
  readonly id: string;
  /** Of a timer: another one may have taken its place. */
  readonly dueAt: number;
}

/** Outdated alarms that are not worth looking for. */
const STALE_MIN = 1_024;

export interface ActorAlarmsOptions {
  readonly monotonic: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What becomes due in the actors of one thread. Of what is due their tables are the only truth: an alarm whose row is no more, or
 * another one, is nothing.
 */
export class ActorAlarms {
  readonly #options: ActorAlarmsOptions;
  readonly #alarms = new Alarms<ActorAlarm>();
  /** Alarms that nobody waits for any more, about. */
  #stale = 0;

  constructor(options: ActorAlarmsOptions) {
    this.#options = options;
  }

  get next(): number | undefined {
    return this.#alarms.next;
  }

  get size(): number {
    return this.#alarms.size;
  }

  takeDue(): ActorAlarm | undefined {
    // A look at the clock is not free, and most threads have no alarms.
    if (this.#alarms.size === 0) return undefined;
    return this.#alarms.takeDue(this.#options.monotonic());
  }

  timer(cell: Cell, id: string, dueAt: number): void {
    const { monotonic, now } = this.#options;
    this.#alarms.add({ at: monotonic() + Math.max(0, dueAt - now()), cell, kind: 'timer', id, dueAt });
  }

  /** The time limit of a question, if it has one; it begins anew after a restore. */
  limit(cell: Cell, id: string, { timeoutMs }: { readonly timeoutMs: number | null }): void {
    if (timeoutMs === null) return;
    this.#alarms.add({ at: this.#options.monotonic() + timeoutMs, cell, kind: 'timeout', id, dueAt: 0 });
  }

  /** For an hour from now, after a restore once more: the wall clock may have jumped, and too long does no harm. */
  keepRequest(cell: Cell, id: string): void {
    this.#alarms.add({ at: this.#options.monotonic() + REQUEST_KEPT_MS, cell, kind: 'forget-request', id, dueAt: 0 });
  }

  /** An alarm stays until it is due, though nobody waits for it; when that are most, all such go. */
  outdated(): void {
    if (++this.#stale < STALE_MIN || this.#stale * 2 < this.#alarms.size) return;
    this.#stale = 0;
    this.#alarms.keep(isWanted);
  }
}

function isWanted({ cell, kind, id, dueAt }: ActorAlarm): boolean {
  if (cell.gone) return false;
  if (kind === 'timer') return cell.ownTableIfAny('~timers')?.get(id)?.dueAt === dueAt;
  return cell.ownTableIfAny(kind === 'timeout' ? '~calls' : '~requests')?.has(id) === true;
}
