import { readFileSync } from 'node:fs';

/** One call to a file of the store, in the order of a trace. */
export interface Point {
  /** Names the call from one run to the next: what it does, to what, the how manieth time. */
  readonly id: string;
  readonly call: string;
  /** The how manieth call of this name by its thread, others than the store's included: what strace counts. */
  readonly nth: number;
}

const LINE = /^(?:(\d+) +)?([a-z_0-9]+)\((.*)$/;

export interface Trace {
  readonly points: readonly Point[];
  /** The last call of all; null when it touched something else. */
  readonly last: Point | null;
  /** The call to which something was done, if it was one to the folder. */
  readonly injected: Point | null;
  /** Those that made the calls, where the trace is of several. */
  readonly threads: ReadonlySet<number>;
}

/** The calls of a trace that touch `folder`. */
export function readTrace(log: string, folder: string): Trace {
  const points: Point[] = [];
  let last: Point | null = null;
  let injected: Point | null = null;
  const threads = new Set<number>();
  const perCall = new Map<string, number>();
  const perId = new Map<string, number>();
  for (const line of readFileSync(log, 'latin1').split('\n')) {
    const found = LINE.exec(line);
    if (found === null) continue;
    const [, thread, call = '', rest = ''] = found;
    const nth = count(perCall, `${thread ?? ''} ${call}`);
    const at = rest.indexOf(folder);
    last = null;
    if (at < 0) continue;
    threads.add(Number(thread ?? 0));
    const path = /^[^">,)]*/.exec(rest.slice(at + folder.length))?.[0] ?? '';
    const what = `${call} ${nameless(path)}`;
    last = { id: `${what} #${count(perId, what)}`, call, nth };
    points.push(last);
    if (line.endsWith('(INJECTED)')) injected = last;
  }
  return { points, last, injected, threads };
}

/** A path without what chance has put into it. */
function nameless(path: string): string {
  return path
    .replace(/ \(deleted\)$/, '')
    .replace(/[0-9a-f-]{36}\.part/, '*.part')
    .replace(/(part\/\d+-\d+-\d+-)[0-9a-f]+/, '$1*');
}

function count(counts: Map<string, number>, key: string): number {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}
