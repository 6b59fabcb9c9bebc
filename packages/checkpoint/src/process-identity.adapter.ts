import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Processes } from './environment.ts';

/** Which process on which machine: enough to find out later whether it is still there. */
export interface ProcessIdentity {
  readonly host: string;
  /** Changes with each start of the machine; empty where the system has none. */
  readonly bootId: string;
  /** Two processes see each other's pid only in one namespace. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** In clock ticks after boot: tells a process from a later one with the same pid. */
  readonly startTicks: string;
  readonly parentPid: number;
  readonly parentStartTicks: string;
}

function ownIdentity(): ProcessIdentity {
  return {
    host: hostname(),
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTicks: startTicks(process.pid),
    parentPid: process.ppid,
    parentStartTicks: startTicks(process.ppid),
  };
}

/** Whether the process with this pid and start is there (and no zombie). */
function isAlive(pid: number, ticks: string): boolean {
  if (ticks !== '') return startTicks(pid) === ticks;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; empty when there is no such process, or it has ended and waits to be reaped. */
function startTicks(pid: number): string {
  return orEmpty(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  });
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** The processes of this machine. */
export const nodeProcesses: Processes = { own: ownIdentity, isAlive };
