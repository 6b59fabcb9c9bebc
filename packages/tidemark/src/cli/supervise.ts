import { assertNever } from './assert-never.ts';
import type { ChildHandle, StartChild } from './child-process.adapter.ts';
import type { Clock } from './clock.ts';
import type { StopSignal } from './messages.ts';
import type { RunCommand } from './run-command.ts';
import { withoutBeginning } from './run-command.ts';
import type { SupervisorEffect, SupervisorEvent, SupervisorState, SupervisorStep } from './supervisor.ts';
import { begin, step } from './supervisor.ts';

export interface SupervisorPorts {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly startChild: StartChild;
  readonly onSignal: (listener: (signal: StopSignal) => void) => void;
  /** Writes one line for people. */
  readonly say: (text: string) => void;
}

/** Runs the command in a child, and again after each crash. Resolves to the exit status when no child lives. */
export function supervise(command: RunCommand, ports: SupervisorPorts): Promise<number> {
  return new Promise((resolve) => {
    const shell = new SupervisorShell(command, ports, resolve);
    ports.onSignal((signal) => shell.take({ type: 'signal', signal, atMs: ports.clock.monotonic() }));
    shell.begin();
  });
}

/** Does what `step` decides; decides nothing itself. */
class SupervisorShell {
  readonly #command: RunCommand;
  readonly #ports: SupervisorPorts;
  readonly #resolve: (status: number) => void;
  #state: SupervisorState;
  #child: ChildHandle | null = null;
  #cancelTimer: () => void = () => {};

  constructor(command: RunCommand, ports: SupervisorPorts, resolve: (status: number) => void) {
    this.#command = command;
    this.#ports = ports;
    this.#resolve = resolve;
    this.#state = begin().state;
  }

  begin(): void {
    this.#follow(begin());
  }

  take(event: SupervisorEvent): void {
    this.#follow(step(this.#state, event));
  }

  #follow({ state, effects }: SupervisorStep): void {
    this.#state = state;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: SupervisorEffect): void {
    switch (effect.type) {
      case 'start-child':
        return this.#startChild(effect.going === 'on' ? withoutBeginning(this.#command) : this.#command);
      case 'stop-child':
        return this.#child?.send({ type: 'stop-run', signal: effect.signal });
      case 'kill-child':
        return this.#child?.kill();
      case 'set-timer':
        this.#cancelTimer();
        this.#cancelTimer = this.#ports.clock.after(effect.delayMs, () => this.take({ type: 'timer' }));
        return;
      case 'say':
        if (effect.level === 'error' || !this.#command.quiet) this.#ports.say(effect.text);
        return;
      case 'exit':
        this.#cancelTimer();
        return this.#resolve(effect.status);
      default:
        return assertNever(effect);
    }
  }

  #startChild(command: RunCommand): void {
    const { clock, random, startChild } = this.#ports;
    this.#child = startChild(command, {
      report: (report) => this.take(report),
      end: (end) => this.take({ type: 'child-ended', end, atMs: clock.monotonic(), random: random() }),
    });
  }
}
