import { startEngine } from '@tidemark/checkpoint/internal';
import { installJob, type JobEnvironment, type JobOutside, type RunEvent, runJob } from '@tidemark/jobs/internal';
import type { Chance } from '@tidemark/actors/testing/internal';
import type { Config } from './config.ts';
import { Disk } from './disk.ts';
import { checkJobCut, checkWholeOutput, expectedResult, rowsBySplit } from './job/check-cut.ts';
import { type Reads, SimFiles } from './job/files.ts';
import { drawInput, type Input } from './job/input.ts';
import { JOB_MODULE } from './job/job.ts';
import { SinkJudge } from './job/sink-judge.ts';
import { STORE } from './process.ts';
import type { Cut, ProcessSeat, Running, Stage } from './stage.ts';
import type { SimThread } from './thread.ts';
import type { World } from './world.ts';

/** The host only looks at the input. */
const HOST_READS: Reads = { msMax: 1, bytesMax: Number.POSITIVE_INFINITY };

const OUTPUT = '/simulated/output';
const BAD_ROWS = '/simulated/bad';

/** What a job's stage must know of the run. */
export interface JobStageOptions {
  readonly world: World;
  readonly config: Config;
  readonly chance: Chance;
  /** Whether a checkpoint was published at that position, ever. */
  readonly isPublished: (position: number) => boolean;
  readonly violation: (what: string) => void;
}

/** A job with its exactly-once output, from its input to its end. */
export class JobStage implements Stage {
  readonly throws = false;
  readonly open: readonly number[] = [];
  readonly #input: Input;
  readonly #output: SinkJudge;
  readonly #bad: SinkJudge;
  readonly #folders: ReadonlyMap<string, Disk>;
  readonly #violation: (what: string) => void;
  readonly #reads: Reads;
  finished = false;

  constructor({ world, config, chance, isPublished, violation }: JobStageOptions) {
    this.#input = drawInput(chance);
    this.#reads = { bytesMax: config.readBytesMax, msMax: config.lookMs * config.readLooks };
    this.#violation = violation;
    this.#output = new SinkJudge(OUTPUT, isPublished, violation);
    this.#bad = new SinkJudge(BAD_ROWS, isPublished, violation);
    this.#folders = new Map([
      [OUTPUT, new Disk(world, this.#output)],
      [BAD_ROWS, new Disk(world, this.#bad)],
    ]);
  }

  async launch(seat: ProcessSeat): Promise<Running> {
    const outside = (thread: SimThread, reads: Reads): JobOutside => ({
      files: new SimFiles(thread, this.#input.files, this.#folders, reads),
      openStore: (location) => this.#open(seat, thread, location),
    });
    const engine = seat.environment((thread) => {
      const own = outside(thread, this.#reads);
      return (worker) => installJob(worker, own);
    });
    const { schedule, workers, keep, location, observe } = seat.engineOptions;
    const own = outside(seat.host, HOST_READS);
    const environment: JobEnvironment = {
      ...own,
      openStore: (at) => (at === STORE ? engine.openStore(at) : own.openStore(at)),
      clock: seat.host.clock,
      loadJob: async () => undefined,
      startEngine(options) {
        const both: typeof observe = (event) => {
          observe(event);
          options.observe(event);
        };
        return startEngine({ ...options, observe: both }, engine);
      },
    };
    let over = false;
    const run = await runJob(
      JOB_MODULE,
      {
        input: [...this.#input.files.keys()],
        output: OUTPUT,
        badRows: `file:${BAD_ROWS}`,
        store: location ?? STORE,
        workers,
        schedule,
        keep,
      },
      (event) => this.#observe(seat, event),
      environment,
    );
    const end = (): void => void (over = true);
    run.done.then(end, end);
    return {
      get over() {
        return over;
      },
      done: run.done,
      stop: () => run.stop(),
      end: async () => undefined,
    };
  }

  check(cut: Cut): void {
    checkJobCut(cut, this.#input, this.#output, this.#bad);
  }

  ticksIn(parts: Cut['parts']): ReadonlyMap<number, number> {
    return new Map([...rowsBySplit(parts)].map(([split, { rows }]) => [-1 - split, rows]));
  }

  powerCut(): void {
    for (const disk of this.#folders.values()) disk.cut();
  }

  checkEnd(): void {
    checkWholeOutput(this.#input, this.#output, this.#bad);
  }

  async #open(seat: ProcessSeat, thread: SimThread, location: string): Promise<ReturnType<ProcessSeat['storeOn']>> {
    const disk = this.#folders.get(location);
    if (disk === undefined) throw new Error(`the job opens ${location}, which is none of its places`);
    return seat.storeOn(disk, thread);
  }

  #observe(seat: ProcessSeat, event: RunEvent): void {
    if (event.event !== 'finished') return;
    this.finished = true;
    try {
      this.checkEnd();
    } catch (error) {
      this.#violation(
        `${seat.name} says that the job has finished: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const { collected } = event.result;
    const expected = JSON.stringify(expectedResult(this.#input));
    if (JSON.stringify(collected) !== expected)
      this.#violation(`the job's result is ${JSON.stringify(collected)}, expected ${expected}`);
  }
}
