import type { Clock } from './clock.ts';
import { definitions } from './definition.ts';
import { assertNever, errorToData } from './errors.ts';
import type { HostSays, Peer, StartWorker, WorkerSays } from './messages.ts';
import { Runtime } from './runtime.ts';

/** Where a worker's code sits: a thread, the host's own thread, or a simulator's. All that it knows of the outside. */
export interface WorkerSeat {
  readonly line: WorkerEnd;
  readonly peers: readonly Peer[];
  readonly clock: Clock;
  /** Loads the modules that define the actors, and what a job adds. */
  readonly load: () => Promise<Install | null>;
}

/** The worker's end of its line to the host. */
export interface WorkerEnd {
  say(says: WorkerSays, transfer: readonly ArrayBuffer[]): void;
  listen(receive: (says: HostSays) => void, closed: () => void): void;
  close(): void;
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

export type Plug = (
  runtime: Runtime,
  say: (says: WorkerSays, transfer?: readonly ArrayBuffer[]) => void,
) => WorkerPlugin;

/**
 * Body of a worker: loads the modules, restores, runs until it is told to stop or the host's end of the line closes. A
 * failure is told, and the host ends the thread: a rejection here could overtake the reason, which travels by the line.
 */
export function runWorker(seat: WorkerSeat, plug: Plug): Promise<void> {
  return new Promise<void>((resolve) => {
    let worker: StartedWorker | null = null;
    let over = false;
    const say = (says: WorkerSays, transfer: readonly ArrayBuffer[] = []): void => seat.line.say(says, transfer);
    const end = (): void => {
      over = true;
      worker?.runtime.stop();
      resolve();
    };
    const fail = (error: unknown): void => {
      worker?.runtime.stop();
      say({ kind: 'failed', error: errorToData(error) });
    };
    const loaded = seat.load();
    // Reported when the host says `start`; until then nobody listens.
    loaded.catch(() => undefined);
    seat.line.listen((says) => {
      if (says.kind === 'start') {
        loaded
          .then((install) => (over ? null : startWorker(seat, says, install, plug, say, fail)))
          .then((started) => (worker = started), fail);
        return;
      }
      if (says.kind === 'stop') {
        say({ kind: 'stopped' });
        seat.line.close();
        end();
        return;
      }
      try {
        if (worker !== null) obey(worker, says, say);
      } catch (error) {
        fail(error);
      }
    }, end);
  });
}

interface StartedWorker {
  readonly runtime: Runtime;
  readonly plugin: WorkerPlugin;
  readonly published: ((cut: number, position: number) => void)[];
  receive(data: unknown): void;
}

function startWorker(
  seat: WorkerSeat,
  start: StartWorker,
  install: Install | null,
  plug: Plug,
  say: (says: WorkerSays, transfer?: readonly ArrayBuffer[]) => void,
  fail: (error: unknown) => void,
): StartedWorker {
  const runtime = new Runtime({
    thread: start.thread,
    workers: start.workers,
    generation: start.generation,
    term: start.term,
    clock: seat.clock,
    peers: seat.peers,
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
