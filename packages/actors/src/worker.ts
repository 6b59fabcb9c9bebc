import type { Clock } from './clock.ts';
import { assertNever, errorToData } from './errors.ts';
import type { FileBytes, HostSays, Peer, StartWorker, WorkerSays, WorkerWord } from './messages.ts';
import type { LookAtResources } from './resources.adapter.ts';
import { Runtime } from './runtime.ts';
import { definedVersions } from './service.ts';
import { viewThread } from './thread-view.ts';

/** Where a worker's code sits: a thread, the host's own thread, or a simulator's. All that it knows of the outside. */
export interface WorkerSeat {
  readonly line: WorkerEnd;
  /** This thread's ends of the channels of a generation, taken once, when it starts. */
  readonly peers: (generation: number) => readonly Peer[];
  readonly clock: Clock;
  /** In [0, 1), for `ctx.random`; Math.random when not given. */
  readonly random?: () => number;
  /** Loads the modules that define the actors, and what a job adds. */
  readonly load: () => Promise<Install | null>;
  /** See `RuntimeOptions`. */
  readonly overrunBytes?: number;
  /** What its thread uses; left out where there is no machine. */
  readonly resources?: LookAtResources;
}

/** The worker's end of its line to the host. */
export interface WorkerEnd {
  say(says: WorkerSays, transfer: readonly ArrayBuffer[]): void;
  listen(receive: (says: HostSays) => void, closed: () => void): void;
  close(): void;
}

/** What the layer that takes cuts adds to a worker. */
export interface WorkerPlugin {
  /** Puts back the units in a file of a checkpoint. */
  load(file: FileBytes): void;
  published(cut: number, position: number): void;
  abandon(cut: number): void;
  /** Memory of what it has said, which is its own again. */
  spare(buffers: readonly ArrayBuffer[]): void;
}

/** What a job adds to a worker: its tasks. Default export of the module named as `extension`. */
export type Install = (worker: InstalledWorker) => Installed;

export interface Installed {
  receive(data: unknown): void;
  /** Its generation is over: it brings nothing in and lets nothing out any more. */
  stop(): void;
}

export interface InstalledWorker {
  readonly runtime: Runtime;
  readonly data: unknown;
  /** Sends to the part of the extension that runs on the host. */
  readonly say: (data: unknown) => void;
  readonly fail: (error: unknown) => void;
  /** Called when a record of this cut was published. */
  readonly onPublished: (listener: (cut: number, position: number) => void) => void;
}

export type Plug = (runtime: Runtime, say: Say) => WorkerPlugin;

type Say = (says: WorkerWord, transfer?: readonly ArrayBuffer[]) => void;

/**
 * Body of a worker: loads the modules, then runs one generation after the other until it is told to stop or the host's
 * end of the line closes. A failure is told, and the host decides what becomes of the generation: a rejection here could
 * overtake the reason, which travels by the line.
 */
export function runWorker(seat: WorkerSeat, plug: Plug): Promise<void> {
  return new Promise<void>((resolve) => {
    let worker: StartedWorker | null = null;
    /** The generation that was asked for last; null when it is over. */
    let wanted: number | null = null;
    const sayIn =
      (generation: number): Say =>
      (says, transfer = []) =>
        seat.line.say({ ...says, generation }, transfer);
    const halt = (): void => {
      wanted = null;
      worker?.stop();
      worker = null;
    };
    const failIn =
      (generation: number) =>
      (error: unknown): void => {
        if (worker?.generation === generation) worker.runtime.stop();
        sayIn(generation)({ kind: 'failed', error: errorToData(error) });
      };
    const end = (): void => {
      halt();
      resolve();
    };
    const loaded = seat.load();
    // Reported when the host says `start`; until then nobody listens.
    loaded.catch(() => undefined);
    const start = (says: StartWorker): void => {
      const { generation } = says;
      wanted = generation;
      loaded
        .then((install) => {
          // It may be over before the modules were there.
          if (wanted === generation)
            worker = startWorker(seat, says, install, plug, sayIn(generation), failIn(generation));
        })
        .catch(failIn(generation));
    };
    seat.line.listen((says) => {
      if (says.kind === 'start') start(says);
      else if (says.kind === 'halt') {
        halt();
        sayIn(says.generation)({ kind: 'halted' });
      } else if (says.kind === 'stop') {
        sayIn(wanted ?? 0)({ kind: 'stopped' });
        seat.line.close();
        end();
      } else if (worker !== null) obey(worker, says);
    }, end);
  });
}

interface StartedWorker {
  readonly generation: number;
  readonly runtime: Runtime;
  readonly plugin: WorkerPlugin;
  readonly published: ((cut: number, position: number) => void)[];
  readonly say: Say;
  readonly fail: (error: unknown) => void;
  readonly resources: LookAtResources | null;
  receive(data: unknown): void;
  stop(): void;
}

function startWorker(
  seat: WorkerSeat,
  start: StartWorker,
  install: Install | null,
  plug: Plug,
  say: Say,
  fail: (error: unknown) => void,
): StartedWorker {
  const { generation } = start;
  const runtime = new Runtime({
    thread: start.thread,
    workers: start.workers,
    generation,
    term: start.term,
    clock: seat.clock,
    peers: seat.peers(generation),
    ingress: start.ingress,
    work: start.work,
    calls: start.calls,
    careful: start.careful,
    hungServiceMs: start.hungServiceMs,
    overrunBytes: seat.overrunBytes,
    ...(seat.random === undefined ? {} : { random: seat.random }),
    letter: (letter) => say({ kind: 'letter', letter }),
    served: (answer, moved) => say({ kind: 'served', ...answer }, moved),
    hung: (call) => say({ kind: 'service-hung', call }),
    fail,
    log: (text) => say({ kind: 'log', text, level: 'info', from: 'ctx' }),
  });
  const published: ((cut: number, position: number) => void)[] = [];
  const installed = install?.({
    runtime,
    data: start.extensionData,
    say: (data) => say({ kind: 'extension', data }),
    fail,
    onPublished: (listener) => published.push(listener),
  });
  const plugin = plug(runtime, say);
  say({
    kind: 'ready',
    versions: definedVersions(),
  });
  return {
    generation,
    runtime,
    plugin,
    published,
    say,
    fail,
    resources: seat.resources ?? null,
    receive: (data) => installed?.receive(data),
    stop() {
      runtime.stop();
      installed?.stop();
    },
  };
}

function obey(worker: StartedWorker, says: Exclude<HostSays, StartWorker | { kind: 'halt' | 'stop' }>): void {
  try {
    act(worker, says);
  } catch (error) {
    worker.fail(error);
  }
}

function act(worker: StartedWorker, says: Exclude<HostSays, StartWorker | { kind: 'halt' | 'stop' }>): void {
  const { runtime, plugin, say } = worker;
  switch (says.kind) {
    case 'load':
      for (const file of says.files) plugin.load(file);
      for (const unit of says.units) runtime.loadUnit(unit);
      for (const frame of says.frames) runtime.loadFrame(frame);
      say({ kind: 'loaded' });
      return;
    case 'go':
      runtime.go();
      return;
    case 'published':
      runtime.published();
      plugin.published(says.cut, says.position);
      for (const listener of worker.published) listener(says.cut, says.position);
      return;
    case 'abandon':
      plugin.abandon(says.cut);
      return;
    case 'spare':
      plugin.spare(says.buffers);
      return;
    case 'look':
      say({ kind: 'seen', id: says.id, sight: runtime.look() });
      return;
    case 'inspect':
      void viewThread(runtime.inside, worker.resources).then((view) => say({ kind: 'inspected', id: says.id, view }));
      return;
    case 'list-letters':
      say({ kind: 'letters', id: says.id, letters: runtime.letters() });
      return;
    case 'extension':
      worker.receive(says.data);
      return;
    case 'serve':
      runtime.services.run(says.envelope);
      return;
    case 'abort-call':
      runtime.services.aborted(says.id);
      return;
    default:
      assertNever(says);
  }
}
