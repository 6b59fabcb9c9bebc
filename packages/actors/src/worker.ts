import { isMainThread, type MessagePort, type TransferListItem } from 'node:worker_threads';
import { systemClock } from './clock.adapter.ts';
import { definitions } from './definition.ts';
import { ActorError, assertNever, errorToData } from './errors.ts';
import { loadModule } from './load-module.ts';
import type { HostSays, StartWorker, WorkerSays } from './messages.ts';
import { messagePort } from './port.adapter.ts';
import { Runtime } from './runtime.ts';

/** What a worker thread is handed: its line to the host, and its ends of the channels. */
export interface WorkerTask {
  readonly control: MessagePort;
  readonly ports: readonly { readonly thread: number; readonly port: MessagePort }[];
  /** Modules that define the actors, as URLs: loaded while the host still reads the log. */
  readonly modules: readonly string[];
  /** Module that adds to this worker (tasks of a job); its default export is an `Install`. */
  readonly extension: string | null;
  readonly inline: boolean;
}

/** What the layer that takes cuts adds to a worker. */
export interface WorkerPlugin {
  published(cut: number, position: number): void;
  abandon(cut: number): void;
}

/** What a job adds to a worker: its tasks. Default export of the module named as `extension`. */
export type Install = (worker: InstalledWorker) => { receive(data: unknown): void };

export interface InstalledWorker {
  readonly runtime: Runtime;
  readonly data: unknown;
  /** Sends to the part of the extension that runs on the host. */
  readonly say: (data: unknown) => void;
  readonly fail: (error: unknown) => void;
  /** Called when a record of this cut was published. */
  readonly onPublished: (listener: (cut: number, position: number) => void) => void;
}

export type Plug = (runtime: Runtime, say: (says: WorkerSays, transfer?: TransferListItem[]) => void) => WorkerPlugin;

/**
 * Body of a worker: loads the modules, restores, runs until it is told to stop or the host's end of the line closes. A
 * failure is told, and the host ends the thread: a rejection here could overtake the reason, which travels by the line.
 */
export function runWorker(task: WorkerTask, plug: Plug): Promise<void> {
  if (isMainThread && !task.inline)
    throw new ActorError('NOT_ON_HOST', 'a worker entry was started in the main thread');
  return new Promise<void>((resolve) => {
    let worker: StartedWorker | null = null;
    let over = false;
    const say = (says: WorkerSays, transfer: TransferListItem[] = []): void => {
      task.control.postMessage(says, transfer);
    };
    const end = (): void => {
      over = true;
      worker?.runtime.stop();
      resolve();
    };
    const fail = (error: unknown): void => {
      worker?.runtime.stop();
      say({ kind: 'failed', error: errorToData(error) });
    };
    const loaded = loadAll(task);
    // Reported when the host says `start`; until then nobody listens.
    loaded.catch(() => undefined);
    task.control.on('close', end);
    task.control.on('message', (says: HostSays) => {
      if (says.kind === 'start') {
        loaded
          .then((install) => (over ? null : startWorker(task, says, install, plug, say, fail)))
          .then((started) => (worker = started), fail);
        return;
      }
      if (says.kind === 'stop') {
        say({ kind: 'stopped' });
        task.control.close();
        end();
        return;
      }
      try {
        if (worker !== null) obey(worker, says, say);
      } catch (error) {
        fail(error);
      }
    });
  });
}

interface StartedWorker {
  readonly runtime: Runtime;
  readonly plugin: WorkerPlugin;
  readonly published: ((cut: number, position: number) => void)[];
  receive(data: unknown): void;
}

async function loadAll(task: WorkerTask): Promise<Install | null> {
  for (const module of task.modules) await loadModule(module);
  if (task.extension === null) return null;
  const { default: install } = (await import(task.extension)) as { readonly default: Install };
  return install;
}

function startWorker(
  task: WorkerTask,
  start: StartWorker,
  install: Install | null,
  plug: Plug,
  say: (says: WorkerSays, transfer?: TransferListItem[]) => void,
  fail: (error: unknown) => void,
): StartedWorker {
  const runtime = new Runtime({
    thread: start.thread,
    workers: start.workers,
    generation: start.generation,
    term: start.term,
    clock: systemClock,
    peers: task.ports.map(({ thread, port }) => ({ thread, port: messagePort(port) })),
    ingress: start.ingress,
    fail,
    log: (text) => say({ kind: 'log', text }),
  });
  const published: ((cut: number, position: number) => void)[] = [];
  let receive: (data: unknown) => void = () => undefined;
  if (install !== null) {
    const installed = install({
      runtime,
      data: start.extensionData,
      say: (data) => say({ kind: 'extension', data }),
      fail,
      onPublished: (listener) => published.push(listener),
    });
    receive = (data) => installed.receive(data);
  }
  const plugin = plug(runtime, say);
  say({
    kind: 'ready',
    versions: Object.fromEntries([...definitions()].map(([name, { version }]) => [name, version])),
  });
  return { runtime, plugin, published, receive };
}

function obey(
  worker: StartedWorker,
  says: Exclude<HostSays, StartWorker | { kind: 'stop' }>,
  say: (says: WorkerSays) => void,
): void {
  const { runtime, plugin } = worker;
  switch (says.kind) {
    case 'load':
      for (const unit of says.units) runtime.loadUnit(unit);
      for (const frame of says.frames) runtime.loadFrame(frame);
      say({ kind: 'loaded' });
      return;
    case 'go':
      runtime.go();
      return;
    case 'published':
      plugin.published(says.cut, says.position);
      for (const listener of worker.published) listener(says.cut, says.position);
      return;
    case 'abandon':
      plugin.abandon(says.cut);
      return;
    case 'look':
      say({ kind: 'seen', id: says.id, sight: runtime.look() });
      return;
    case 'extension':
      worker.receive(says.data);
      return;
    default:
      assertNever(says);
  }
}
