import { MessageChannel, type MessagePort, type TransferListItem } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ActorError } from './errors.ts';
import type { HostSays, Peer, WorkerSays } from './messages.ts';
import { messagePort } from './port.adapter.ts';
import type { WorkerTask } from './seat.adapter.ts';

/** The host's line to one worker. */
export interface WorkerLine {
  /** 1 … workers. */
  readonly thread: number;
  readonly say: (says: HostSays, transfer?: TransferListItem[]) => void;
  readonly listen: (receive: (says: WorkerSays) => void) => void;
}

export interface Threads {
  readonly lines: readonly WorkerLine[];
  /** The host's ends of its channels to the workers. */
  readonly peers: readonly Peer[];
  /** Lets every worker end by itself, then closes the pool. */
  stop(): Promise<void>;
  /** Ends the threads whatever they do. */
  kill(): Promise<void>;
}

export interface ThreadsOptions {
  readonly workers: number;
  /** Module whose default export is the worker's body; JavaScript, a `file:` URL. */
  readonly entry: URL;
  readonly modules: readonly string[];
  readonly extension: string | null;
  /** Run the workers' code in this thread: breakpoints work, nothing is parallel. */
  readonly inline: boolean;
  /** A worker thread is gone: thrown, exited, out of memory. */
  readonly lost: (thread: number, cause: unknown) => void;
}

/** Names of environment variables that workers get: none that could hold a secret. */
const ENV_ALLOWED = [
  'PATH',
  'TZ',
  'LANG',
  'LC_ALL',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NO_COLOR',
  'TMPDIR',
];

/** Starts the worker threads: one Piscina pool, one task a thread that does not end until the worker is stopped. */
export function startThreads(options: ThreadsOptions): Threads {
  const ports = connectAll(options.workers + 1);
  const controls = new Map<number, MessagePort>();
  const run = options.inline ? inlineHost(options) : poolHost(options);
  const ended: Promise<void>[] = [];
  let stopping = false;
  const lines: WorkerLine[] = [];
  for (let thread = 1; thread <= options.workers; thread++) {
    const { port1, port2 } = new MessageChannel();
    controls.set(thread, port1);
    const { modules, extension, inline } = options;
    const task: WorkerTask = { control: port2, ports: ports[thread], modules, extension, inline };
    ended.push(
      run.start(task).then(
        () => (stopping ? undefined : options.lost(thread, new Error('the worker ended without being told to'))),
        (cause: unknown) => (stopping ? undefined : options.lost(thread, cause)),
      ),
    );
    lines.push({
      thread,
      say: (says, transfer = []) => port1.postMessage(says, transfer),
      listen: (receive) => void port1.on('message', receive),
    });
  }
  return {
    lines,
    peers: ports[0].map(({ thread, port }) => ({ thread, port: messagePort(port) })),
    async stop() {
      stopping = true;
      for (const line of lines) line.say({ kind: 'stop' });
      await Promise.all(ended);
      for (const port of controls.values()) port.close();
      await run.close();
    },
    async kill() {
      stopping = true;
      for (const port of controls.values()) port.close();
      await run.kill();
    },
  };
}

interface Host {
  start(task: WorkerTask): Promise<void>;
  close(): Promise<void>;
  kill(): Promise<void>;
}

function poolHost(options: ThreadsOptions): Host {
  const env: Record<string, string> = { MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' };
  for (const name of ENV_ALLOWED) if (process.env[name] !== undefined) env[name] = process.env[name];
  const pool = new Piscina({
    filename: options.entry.href,
    minThreads: options.workers,
    maxThreads: options.workers,
    concurrentTasksPerWorker: 1,
    maxQueue: options.workers,
    atomics: 'disabled',
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    env,
  });
  // Deaths are seen by the tasks; without a listener the same error would end the process.
  pool.on('error', () => undefined);
  return {
    start: (task) =>
      pool.run(task, { transferList: [task.control, ...task.ports.map(({ port }) => port)] }) as Promise<void>,
    close: () => pool.close(),
    kill: () => pool.destroy(),
  };
}

function inlineHost(options: ThreadsOptions): Host {
  return {
    async start(task) {
      const entry = (await import(options.entry.href)) as { readonly default: (task: WorkerTask) => Promise<void> };
      await entry.default(task);
    },
    close: () => Promise.resolve(),
    kill: () => Promise.resolve(),
  };
}

/** One channel for each pair of threads; a MessagePort pair is a FIFO way in both directions. */
function connectAll(threads: number): { thread: number; port: MessagePort }[][] {
  const ends: { thread: number; port: MessagePort }[][] = Array.from({ length: threads }, () => []);
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel();
      ends[a].push({ thread: b, port: port1 });
      ends[b].push({ thread: a, port: port2 });
    }
  }
  return ends;
}

/** Compares what the workers define with what this thread defines. */
export function assertSameDefinitions(
  thread: number,
  theirs: Readonly<Record<string, number>>,
  ours: Readonly<Record<string, number>>,
): void {
  const show = (versions: Readonly<Record<string, number>>): string =>
    Object.entries(versions)
      .map(([name, version]) => `${name}@${version}`)
      .sort()
      .join(', ') || 'none';
  if (show(theirs) === show(ours)) return;
  throw new ActorError(
    'DEFINITIONS_DIFFER',
    `worker ${thread} defines ${show(theirs)}; the host defines ${show(ours)}. Both must import the same modules: pass them in 'actors'.`,
  );
}
