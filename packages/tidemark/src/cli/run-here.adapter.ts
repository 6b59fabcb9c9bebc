import { runChild } from './child.ts';
import { codedText } from './cli-errors.ts';
import { systemClock } from './clock.adapter.ts';
import type { Engine } from './engine.ts';
import { errorMessage, errorText } from './error-text.ts';
import { EXIT, signalStatus } from './exit-codes.ts';
import type { ChildReport } from './messages.ts';
import { Output } from './output.ts';
import { paintsFor } from './paints.adapter.ts';
import { Printer } from './printer.ts';
import type { RunCommand } from './run-command.ts';
import type { StopRequest } from './stop-request.ts';
import { Terminal } from './terminal.ts';

export interface RunHereOptions {
  readonly command: RunCommand;
  readonly loadEngine: () => Promise<Engine>;
  readonly stop: StopRequest;
  readonly report: (report: ChildReport) => void;
}

/** Runs the job in this process and ends the process with the job's exit status. */
export async function runHere({ command, loadEngine, stop, report }: RunHereOptions): Promise<void> {
  const terminal = new Terminal(process.stderr);
  const output = new Output(process.stdout, (reason) =>
    printer.warning(`Nobody reads stdout any more (${reason}); the job goes on.`),
  );
  const paints = paintsFor(process.stderr);
  const { json, quiet } = command;
  const printer = new Printer({ terminal, output, clock: systemClock, paints, cwd: process.cwd(), json, quiet });
  endOnUncaught(printer, report);
  const disarm = refuseEarlyExit(printer, stop);
  // The engine is the first thing to be waited for: all that is above has been set up while nothing runs.
  const engine: Engine = async (file, options, observe) => (await loadEngine())(file, options, observe);
  const status = await runChild({ engine, command, printer, stop, clock: systemClock, report });
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  disarm();
  process.exit(status);
}

/** An error that nobody awaited means that the state of this process cannot be trusted. */
function endOnUncaught(printer: Printer, report: RunHereOptions['report']): void {
  process.on('uncaughtException', (error, origin) => {
    const code = origin === 'unhandledRejection' ? 'UNHANDLED_REJECTION' : 'UNCAUGHT_EXCEPTION';
    printer.failure(`tidemark: ${codedText(code, 'nobody handled this error, so the runtime ends.')}`);
    printer.failure(errorText(error, 'with-stacks'));
    report({ type: 'run-failed', failure: { code, message: errorMessage(error) } });
    process.exit(EXIT.crashed);
  });
}

/** `process.exit()` in the user's code is a crash, whatever its status says: the job has not finished. */
function refuseEarlyExit(printer: Printer, stop: StopRequest): () => void {
  const onExit = (status: number): void => {
    const isOurs = status === EXIT.crashed || (stop.signal !== null && status === signalStatus(stop.signal));
    if (isOurs) return;
    process.exitCode = EXIT.crashed;
    const what = `the process was ended with status ${status} before the job was done, as by process.exit().`;
    printer.failure(`tidemark: ${codedText('EXITED_EARLY', what)}`);
  };
  process.on('exit', onExit);
  return () => void process.off('exit', onExit);
}

/** Resolves when what was written has left this process, or nobody takes it. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    stream.write('', () => resolve());
  });
}
