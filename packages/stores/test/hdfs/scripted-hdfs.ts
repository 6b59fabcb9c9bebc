import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One request, as a script sees it. */
export interface Asked {
  readonly operation: string;
  readonly path: string;
  readonly parameters: URLSearchParams;
  /** Whether it came to the data node: the second hop of CREATE and OPEN. */
  readonly isData: boolean;
  readonly headers: IncomingMessage['headers'];
  /** How often this operation was asked for in this hop, from 1. */
  readonly count: number;
}

/** Does what the server should have done, and answers what it would have answered. */
export type Usual = () => Promise<{
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: Uint8Array | string;
}>;

/** Answers in the server's place, or leaves the server to do the usual by saying `usual`. */
export type Script = (asked: Asked, response: ServerResponse, usual: Usual, server: ScriptedHdfs) => unknown;

interface File {
  readonly id: number;
  readonly modifiedMs?: number;
  bytes: Buffer;
}

/**
 * A name node and a data node in one server, for answers that a real cluster cannot be made to give. It knows just the operations
 * that the store uses, in their right form, and notes everything else as a breach.
 */
export class ScriptedHdfs {
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  readonly files = new Map<string, File>();
  readonly folders = new Set<string>(['']);
  readonly asked: Asked[] = [];
  readonly breaches: string[] = [];
  script: Script = () => 'usual';
  #lastId = 16_385;

  private constructor(isTls: boolean) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = isTls ? createTlsServer(certificate(), serve) : createServer(serve);
    this.#scheme = isTls ? 'https' : 'http';
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start({ isTls } = { isTls: false }): Promise<ScriptedHdfs> {
    const scripted = new ScriptedHdfs(isTls);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get location(): string {
    return `webhdfs://${this.host}/s?user=tester`;
  }

  /** Breaks all connections and ends. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  count(operation: string, isData = false): number {
    return this.asked.filter((each) => each.operation === operation && each.isData === isData).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', `http://${this.host}`);
    const isData = url.pathname.startsWith('/data/');
    const operation = url.searchParams.get('op') ?? '';
    const path = decodeURIComponent(url.pathname.replace(/^\/data/, '').replace(/^\/webhdfs\/v1/, ''));
    const asked: Asked = {
      operation,
      path,
      parameters: url.searchParams,
      isData,
      headers: request.headers,
      count: this.count(operation, isData) + 1,
    };
    this.asked.push(asked);
    response.on('error', () => undefined);
    try {
      const usual: Usual = () => this.#usual(asked, request);
      if ((await this.script(asked, response, usual, this)) !== 'usual') return;
      const { status, headers = {}, body } = await usual();
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    } catch {
      // The client broke the connection on purpose.
      response.destroy();
    }
  }

  async #usual(asked: Asked, request: IncomingMessage): ReturnType<Usual> {
    const { operation, path, parameters, isData } = asked;
    if (isData) return operation === 'CREATE' ? this.#create(path, request) : this.#open(path, parameters);
    switch (`${request.method} ${operation}`) {
      case 'PUT CREATE':
        if (parameters.get('overwrite') !== 'false' || parameters.get('createflag') !== 'CREATE,SYNC_BLOCK')
          this.breaches.push(`CREATE with ${parameters.toString()}`);
        return this.#sendOn(asked);
      case 'GET OPEN':
        return this.files.has(path) ? this.#sendOn(asked) : thrown('FileNotFoundException', `File ${path} not found.`);
      case 'PUT MKDIRS':
        this.#addFolder(path);
        return { status: 200, body: '{"boolean":true}' };
      case 'GET GETFILESTATUS':
        return this.#status(path);
      case 'GET LISTSTATUS_BATCH':
        return this.#list(path);
      case 'PUT RENAME':
        return this.#rename(path, parameters);
      case 'DELETE DELETE': {
        const isGone = this.files.delete(path) || this.folders.delete(path);
        return { status: 200, body: `{"boolean":${String(isGone)}}` };
      }
      default:
        this.breaches.push(`${request.method} ${operation}`);
        return thrown('UnsupportedOperationException', operation);
    }
  }

  #sendOn({ path, parameters }: Asked): Awaited<ReturnType<Usual>> {
    const location = `${this.#scheme}://${this.host}/data/webhdfs/v1${path}?${parameters.toString()}`;
    return { status: 307, headers: { location }, body: '' };
  }

  async #create(path: string, request: IncomingMessage): ReturnType<Usual> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (this.files.has(path)) return thrown('FileAlreadyExistsException', `${path} exists`);
    this.files.set(path, { id: ++this.#lastId, bytes: Buffer.concat(chunks) });
    return { status: 201, body: '' };
  }

  #open(path: string, parameters: URLSearchParams): Awaited<ReturnType<Usual>> {
    const bytes = this.files.get(path)?.bytes ?? Buffer.alloc(0);
    const offset = Number(parameters.get('offset') ?? 0);
    const body = bytes.subarray(offset, offset + Number(parameters.get('length') ?? bytes.length));
    return { status: 200, headers: { 'content-length': String(body.length) }, body };
  }

  #rename(path: string, parameters: URLSearchParams): Awaited<ReturnType<Usual>> {
    const to = parameters.get('destination') ?? '';
    const overwriting = parameters.get('renameoptions');
    if (overwriting !== 'NONE' && overwriting !== 'OVERWRITE') this.breaches.push(`RENAME with ${String(overwriting)}`);
    const file = this.files.get(path);
    if (this.folders.has(to) || (this.files.has(to) && overwriting === 'NONE'))
      return thrown('FileAlreadyExistsException', `rename destination ${to} already exists`);
    if (file === undefined) return thrown('FileNotFoundException', `rename source ${path} is not found.`);
    this.files.delete(path);
    this.files.set(to, file);
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: '' };
  }

  #addFolder(path: string): void {
    this.folders.add(path);
    if (path !== '') this.#addFolder(path.slice(0, path.lastIndexOf('/')));
  }

  #status(path: string): Awaited<ReturnType<Usual>> {
    const status = this.#statusOf(path, '');
    if (status === undefined) return thrown('FileNotFoundException', `File does not exist: ${path}`);
    return { status: 200, body: JSON.stringify({ FileStatus: status }) };
  }

  #list(path: string): Awaited<ReturnType<Usual>> {
    if (!this.folders.has(path)) return thrown('FileNotFoundException', `File ${path} does not exist.`);
    const inside = [...this.files.keys(), ...this.folders].filter((each) => each.startsWith(`${path}/`));
    const names = [...new Set(inside.map((each) => each.slice(path.length + 1).split('/')[0] ?? ''))].sort();
    const found = names.map((name) => this.#statusOf(`${path}/${name}`, name));
    return { status: 200, body: JSON.stringify(listing(found, 0)) };
  }

  #statusOf(path: string, pathSuffix: string): Record<string, unknown> | undefined {
    const file = this.files.get(path);
    if (file === undefined && !this.folders.has(path)) return undefined;
    return {
      pathSuffix,
      type: file === undefined ? 'DIRECTORY' : 'FILE',
      length: file?.bytes.length ?? 0,
      fileId: file?.id ?? 16_385,
      modificationTime: file?.modifiedMs ?? 0,
    };
  }
}

/** Made for tests, and trusted by nobody else. */
function certificate() {
  const read = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return { cert: read('loopback-cert.pem'), key: read('loopback-key.pem') };
}

/** An answer as a cluster gives it for an exception. */
export function thrown(exception: string, message = 'because'): { readonly status: number; readonly body: string } {
  const status = exception === 'FileNotFoundException' ? 404 : 403;
  return { status, body: JSON.stringify({ RemoteException: { exception, javaClassName: exception, message } }) };
}

export function listing(statuses: readonly unknown[], remainingEntries: number): unknown {
  return { DirectoryListing: { partialListing: { FileStatuses: { FileStatus: statuses } }, remainingEntries } };
}
