import type { ProcessIdentity, Processes } from '@tidemark/checkpoint/internal';

/** Processes of one machine, as a test says: pid and start of those that live. */
export class Machine {
  readonly alive = new Map<number, string>();
  readonly #host: string;
  readonly #bootId: string;
  #ticks = 100;

  constructor(host: string, bootId: string) {
    this.#host = host;
    this.#bootId = bootId;
  }

  /** A new process with a living parent, as it sees this machine. */
  start(pid: number, parentPid = 1, pidNamespace = 'pid:[1]'): Processes {
    for (const each of [pid, parentPid]) if (!this.alive.has(each)) this.alive.set(each, String(this.#ticks++));
    const identity: ProcessIdentity = {
      host: this.#host,
      bootId: this.#bootId,
      pidNamespace,
      pid,
      startTicks: this.alive.get(pid) ?? '',
      parentPid,
      parentStartTicks: this.alive.get(parentPid) ?? '',
    };
    return { own: () => identity, isAlive: (each, ticks) => this.alive.get(each) === ticks };
  }
}
