import type { Engine } from './engine.ts';
import type { ChildReport } from './messages.ts';
import { isParentRequest } from './messages.ts';
import type { RunCommand } from './run-command.ts';
import { runHere } from './run-here.adapter.ts';
import { onStopSignal } from './signals.adapter.ts';
import { StopRequest } from './stop-request.ts';

/**
 * The child of the supervisor: its command is its first argument, its parent the other end of its IPC channel.
 *
 * - K1 It ends when its parent does, at once and without a last word: a parent that was killed may be started again,
 *   and finds the job free.
 * - K2 Only the parent makes a second signal an end at once: Ctrl-C reaches parent and child alike.
 */
export async function childMain(loadEngine: () => Promise<Engine>): Promise<void> {
  const command = readCommand(process.argv[2]);
  const stop = new StopRequest();
  process.on('disconnect', endWithParent);
  process.on('message', (message) => {
    if (isParentRequest(message)) stop.ask(message.signal);
  });
  onStopSignal((signal) => stop.ask(signal));
  if (!process.connected) endWithParent();
  await runHere({ command, loadEngine, stop, report });
}

function endWithParent(): void {
  // Not `process.exit`, which waits for threads that may be deep in native code.
  process.kill(process.pid, 'SIGKILL');
}

function report(message: ChildReport): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** Written by the parent a moment ago, from the same version: trusted. */
function readCommand(json: string | undefined): RunCommand {
  if (json === undefined) throw new TypeError('child-entry is started by `tidemark run`, not by hand');
  return JSON.parse(json) as RunCommand;
}
