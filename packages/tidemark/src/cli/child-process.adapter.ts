import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildReport, ParentRequest } from './messages.ts';
import { isChildReport } from './messages.ts';
import type { RunCommand } from './run-command.ts';
import type { ChildEnd } from './supervisor.ts';

/** A child that was started and has not ended. */
export interface ChildHandle {
  send(request: ParentRequest): void;
  /** SIGKILL. */
  kill(): void;
}

export interface ChildListener {
  report(report: ChildReport): void;
  /** Called once, after the last report. */
  end(end: ChildEnd): void;
}

export type StartChild = (command: RunCommand, listener: ChildListener) => ChildHandle;

/**
 * Starts children as Node processes that run `entry`. They share this process's streams and process group. Their IPC
 * channel is also their lifeline: the kernel closes it when this process ends, however it ends.
 */
export function childStarter(entry: URL): StartChild {
  return (command, listener) => {
    const child = spawn(process.execPath, [...flagsToPassOn(), fileURLToPath(entry), JSON.stringify(command)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      // msgpackr's optional native part has an install script and no gain for us.
      env: { ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' },
    });
    listen(child, listener);
    return {
      // A child that has just ended cannot be told anything; its end is on the way to us.
      send: (request) => void child.send(request, () => {}),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

function listen(child: ChildProcess, listener: ChildListener): void {
  child.on('message', (message) => {
    if (isChildReport(message)) listener.report(message);
  });
  child.on('error', (error) => {
    if (child.pid === undefined) listener.end({ kind: 'not-started', reason: error.message });
  });
  child.on('exit', (status, signal) => {
    const end: ChildEnd = signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'killed', signal };
    // What the child wrote last may still lie in the channel; `disconnect` comes behind it.
    if (child.connected) child.once('disconnect', () => listener.end(end));
    else listener.end(end);
  });
}

/** Node's own flags, as for memory; not those of a debugger, whose port this process holds (see `--inline`). */
function flagsToPassOn(): readonly string[] {
  return process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
}
