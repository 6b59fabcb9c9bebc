import { fileURLToPath } from 'node:url';
import type * as Inspector from 'node:inspector';
import { createRequire } from 'node:module';
import { STACK_FRAMES, STACK_MS } from './limits.ts';

const require = createRequire(import.meta.url);

/** Somebody debugs this process. */
export function isDebugged(): boolean {
  return inspectorOf()?.url() !== undefined;
}

interface CallFrame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

/** What comes from a thread's debugger: an answer to a request, or an event. */
interface Told {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly result?: { readonly value?: unknown } };
  readonly params?: { readonly scriptId?: string; readonly url?: string; readonly callFrames?: readonly CallFrame[] };
}

/** What a turn is about, evaluated in a frame that runs one; see ActorTable. */
const TURN = `typeof cell === 'object' && typeof envelope === 'object' ? cell.definition.name + '/' + cell.key + ' ' + envelope.handler : ''`;

/**
 * Where a thread of this process is that does not come back to its event loop: the innermost functions, and the turn if
 * it runs one. V8 stops it for an instant wherever it is, so that no turn pays for being found. Null where that cannot be
 * had: code that is not JavaScript, a Node without an inspector.
 *
 * @param nodeThread its `threadId`
 */
export function whereIs(nodeThread: number): Promise<string | null> {
  const inspector = inspectorOf();
  if (inspector === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    const look = new Look(inspector, nodeThread, resolve);
    look.begin();
  });
}

class Look {
  readonly #session: Inspector.Session;
  readonly #nodeThread: number;
  readonly #resolve: (where: string | null) => void;
  readonly #scripts = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #sessionId: string | null = null;
  #frames: readonly CallFrame[] = [];
  #nextId = 0;
  #turn = '';
  #asked = 0;
  #over = false;

  constructor(inspector: typeof Inspector, nodeThread: number, resolve: (where: string | null) => void) {
    this.#session = new inspector.Session();
    this.#nodeThread = nodeThread;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#end(), STACK_MS);
  }

  begin(): void {
    const session = this.#session;
    session.connect();
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      // Its id counts what this session has met; the thread's number is in its title.
      if (Number(/\[worker (\d+)\]/.exec(params.workerInfo.title)?.[1]) !== this.#nodeThread) return;
      this.#sessionId = params.sessionId;
      this.#say('Debugger.enable');
      this.#say('Debugger.pause');
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId === this.#sessionId) this.#hear(JSON.parse(params.message) as Told);
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  #hear({ id, method, result, params }: Told): void {
    if (method === 'Debugger.scriptParsed') this.#scripts.set(params?.scriptId ?? '', params?.url ?? '');
    else if (method === 'Debugger.paused') this.#paused(params?.callFrames ?? []);
    else if (id !== undefined && id === this.#asked) {
      const turn = result?.result?.value;
      if (typeof turn === 'string') this.#turn = turn;
      this.#end();
    }
  }

  #paused(frames: readonly CallFrame[]): void {
    if (this.#over) return;
    this.#frames = frames;
    const turn = frames.findIndex(({ location }) => this.#fileOf(location.scriptId).endsWith('/actor-table.js'));
    if (turn === -1) {
      this.#end();
      return;
    }
    // Below it there is nothing that the turn's author knows.
    if (turn > 0) this.#frames = frames.slice(0, turn);
    const what = { callFrameId: frames[turn].callFrameId, expression: TURN, returnByValue: true, silent: true };
    this.#asked = this.#say('Debugger.evaluateOnCallFrame', what);
  }

  #say(method: string, params: object = {}): number {
    const id = ++this.#nextId;
    const message = JSON.stringify({ id, method, params });
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId!, message });
    return id;
  }

  /** Lets the thread go on, whatever was found. */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#sessionId !== null) this.#say('Debugger.disable');
    this.#session.post('NodeWorker.disable', () => setImmediate(() => this.#session.disconnect()));
    this.#resolve(this.#text());
  }

  #text(): string | null {
    if (this.#frames.length === 0) return null;
    const own = this.#frames.filter(({ location }) => this.#fileOf(location.scriptId).startsWith('file:'));
    const where = own.slice(0, STACK_FRAMES).map(({ functionName, location }) => {
      const name = functionName === '' ? 'a function' : functionName;
      return `${name} (${fileURLToPath(this.#fileOf(location.scriptId))}:${location.lineNumber + 1})`;
    });
    const stack = where.length === 0 ? 'in code of Node' : `in ${where.join(' < ')}`;
    return this.#turn === '' ? stack : `${this.#turn}, ${stack}`;
  }

  #fileOf(scriptId: string): string {
    return this.#scripts.get(scriptId) ?? '';
  }
}

function inspectorOf(): typeof Inspector | null {
  try {
    return require('node:inspector') as typeof Inspector;
  } catch {
    return null;
  }
}
