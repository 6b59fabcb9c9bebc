import { systemClock } from './clock.adapter.ts';
import type { Engine } from './engine.ts';
import { signalStatus } from './exit-codes.ts';
import type { RunCommand } from './run-command.ts';
import { runHere } from './run-here.adapter.ts';
import { signalMeaning } from './signal-meaning.ts';
import { onStopSignal } from './signals.adapter.ts';
import { StopRequest } from './stop-request.ts';

/** `--inline`: no supervisor and no child, so that a debugger sees the job. A second signal ends at once here too. */
export async function runInline(command: RunCommand, loadEngine: () => Promise<Engine>): Promise<void> {
  process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED = 'true';
  const stop = new StopRequest();
  let askedAtMs: number | null = null;
  onStopSignal((signal) => {
    const atMs = systemClock.monotonic();
    const isSecond = askedAtMs !== null && signalMeaning(askedAtMs, atMs) === 'kill';
    if (isSecond) process.exit(signalStatus(stop.signal ?? signal));
    askedAtMs ??= atMs;
    stop.ask(signal);
  });
  await runHere({ command, loadEngine, stop, report: () => {} });
}
