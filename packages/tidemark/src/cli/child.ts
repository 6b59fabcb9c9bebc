import type { JobRun, RunEvent } from '@tidemark/jobs/internal';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';
import { errorCode, errorMessage, errorText } from './error-text.ts';
import { EXIT, exitStatus, isFinal, signalStatus } from './exit-codes.ts';
import { STOP_MS } from './limits.ts';
import type { ChildReport, StopSignal } from './messages.ts';
import type { Printer } from './printer.ts';
import type { RunCommand } from './run-command.ts';
import type { StopRequest } from './stop-request.ts';

export interface ChildPorts {
  readonly engine: Engine;
  readonly command: RunCommand;
  readonly printer: Printer;
  readonly stop: StopRequest;
  readonly clock: Clock;
  /** Tells the supervisor parent, if there is one. */
  readonly report: (report: ChildReport) => void;
}

/** Runs the job once, shows what happens, and resolves to the exit status. Never rejects. */
export async function runChild(ports: ChildPorts): Promise<number> {
  const { printer, stop } = ports;
  const seen = { started: false, progressed: false, finished: false };
  const observe = (event: RunEvent): void => {
    if (event.event === 'started') {
      seen.started = true;
      ports.report({ type: 'run-started' });
    }
    if (event.event === 'checkpoint' && !seen.progressed) {
      seen.progressed = true;
      ports.report({ type: 'run-progressed' });
    }
    if (event.event === 'finished') seen.finished = true;
    printer.event(event);
  };
  try {
    const started = ports.engine(new URL(ports.command.file), ports.command.options, observe);
    const done = watched(started, printer);
    const end = await Promise.race([done, stop.asked]);
    if (end !== 'done') await stopRun(seen.started ? started : null, done, ports);
    if (stop.signal === null || seen.finished) return EXIT.done;
    return signalStatus(stop.signal);
  } catch (error) {
    return failed(error, ports);
  } finally {
    printer.close();
  }
}

async function watched(started: Promise<JobRun>, printer: Printer): Promise<'done'> {
  const run = await started;
  printer.watch(() => run.progress());
  await run.done;
  return 'done';
}

/** A run that has not started yet (`null`) has done nothing that a checkpoint could keep. */
async function stopRun(started: Promise<JobRun> | null, done: Promise<unknown>, ports: ChildPorts): Promise<void> {
  // From here on the way the run ends is known from `stop`; its own end may come later, or never.
  done.catch(() => {});
  if (started === null) return;
  const stopped = started.then((run) => Promise.all([run.stop(), done]));
  if ((await withDeadline(stopped, STOP_MS, ports.clock)) === 'late') {
    ports.printer.warning(
      `The last checkpoint was not done within ${STOP_MS / 1000} s; the same command goes on from the one before.`,
    );
  }
}

function withDeadline(work: Promise<unknown>, delayMs: number, clock: Clock): Promise<'in-time' | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(delayMs, () => resolve('late'));
    work.then(() => resolve('in-time'), reject).finally(cancel);
  });
}

const NO_LAST_CHECKPOINT = 'The last checkpoint could not be taken; the same command goes on from the one before.';

function failed(error: unknown, { command, printer, report, stop }: ChildPorts): number {
  const status = exitStatus(errorCode(error));
  printer.failure(errorText(error, command.verbose ? 'with-stacks' : 'short'));
  if (stop.signal !== null && status !== EXIT.owned) printer.warning(NO_LAST_CHECKPOINT);
  report({ type: 'run-failed', failure: { code: errorCode(error) ?? 'UNEXPECTED', message: errorMessage(error) } });
  // Who asked for the end gets the end; that the job is somebody else's, or damaged, is news all the same.
  const signal: StopSignal | null = stop.signal;
  return signal === null || isFinal(status, true) ? status : signalStatus(signal);
}
