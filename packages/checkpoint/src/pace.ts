import type { Clock } from '@tidemark/actors/internal';
import { Alarm } from './alarm.ts';
import { WORK_LOOK_MS } from './limits.ts';
import type { Schedule } from './schedule.ts';
import type { WorkDone } from './work.ts';

/**
 * Says when the next checkpoint is due: by the clock, or by what was done since the last cut began; after an attempt not
 * before the minimum pause is over.
 *
 * Owns all timers of a schedule. Decides nothing about cuts: `due` is an event like others (step.ts), and one that comes
 * while a cut is under way is ignored there.
 */
export class Pace {
  readonly #schedule: Schedule;
  readonly #clock: Clock;
  readonly #work: () => WorkDone;
  readonly #due: () => void;
  readonly #alarm: Alarm | null;
  #underWay = false;
  /** What had been done when the last cut began. */
  #base: WorkDone;
  /** Monotonic; until then nothing is due. */
  #pauseUntil = Number.NEGATIVE_INFINITY;
  #cancelLook: () => void = () => undefined;
  #cancelPause: () => void = () => undefined;
  #pausing = false;

  constructor(schedule: Schedule, clock: Clock, work: () => WorkDone, due: () => void) {
    this.#schedule = schedule;
    this.#clock = clock;
    this.#work = work;
    this.#due = due;
    this.#base = work();
    this.#alarm = schedule.timetable === null ? null : new Alarm(schedule.timetable, clock, () => this.#rings());
  }

  start(): void {
    // After a rollback the threads count anew.
    this.#base = this.#work();
    this.#alarm?.start();
    const { records, bytes } = this.#schedule;
    if (Number.isFinite(records) || Number.isFinite(bytes)) this.#waitForWork();
  }

  stop(): void {
    this.#alarm?.stop();
    this.#cancelLook();
    this.#cancelPause();
    this.#pausing = false;
  }

  /** A cut begins, by schedule or because somebody asked. */
  began(): void {
    this.#underWay = true;
    this.#base = this.#work();
  }

  /** The attempt is over, well or not. */
  over(): void {
    this.#underWay = false;
    this.#pauseUntil = this.#clock.monotonic() + this.#schedule.minPauseMs;
  }

  #rings(): void {
    const pauseMs = this.#underWay ? 0 : this.#pauseUntil - this.#clock.monotonic();
    if (pauseMs <= 0) this.#due();
    else if (!this.#pausing) {
      this.#pausing = true;
      this.#cancelPause = this.#clock.after(pauseMs, () => {
        this.#pausing = false;
        this.#rings();
      });
    }
  }

  /** Threads count for themselves, in shared memory: looking costs them nothing. */
  #waitForWork(): void {
    this.#cancelLook = this.#clock.after(WORK_LOOK_MS, () => {
      this.#waitForWork();
      if (this.#underWay || this.#clock.monotonic() < this.#pauseUntil) return;
      const { records, bytes } = this.#work();
      const isEnough =
        records - this.#base.records >= this.#schedule.records || bytes - this.#base.bytes >= this.#schedule.bytes;
      if (isEnough) this.#due();
    });
  }
}
