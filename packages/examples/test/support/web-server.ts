import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How it ended. */
export interface WebEnd {
  readonly status: number | null;
  readonly signal: string | null;
}

/** One of the web apps as a process of its own, spoken to by HTTP. */
export class WebServer {
  readonly #child: ChildProcess;
  readonly ended: Promise<WebEnd>;
  #url = '';
  stderr = '';

  private constructor(app: string, env: NodeJS.ProcessEnv) {
    const program = fileURLToPath(new URL(`../../dist/web/${app}.js`, import.meta.url));
    this.#child = spawn(process.execPath, [program], {
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.#child, 'close').then(([status, signal]) => {
      return { status: status as number | null, signal: signal as string | null };
    });
  }

  /** Resolves when it listens. */
  static async start(app: string, env: NodeJS.ProcessEnv): Promise<WebServer> {
    const server = new WebServer(app, env);
    let said = '';
    const listening = new Promise<void>((resolve) => {
      server.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const url = /^listening on (\S+)$/m.exec(said)?.[1];
        if (url === undefined) return;
        server.#url = url;
        resolve();
      });
    });
    const ended = server.ended.then(({ status }) => {
      throw new Error(`${app} ended with ${status} before it listened:\n${server.stderr}`);
    });
    // It ends some time; only here is that an error.
    ended.catch(() => undefined);
    await Promise.race([listening, ended]);
    return server;
  }

  async ask(method: 'GET' | 'POST', path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const response = await fetch(this.#url + path, { method, headers });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answered['body'],
    };
  }

  get(path: string): Promise<Answered> {
    return this.ask('GET', path);
  }

  /** @param key asked again with the same one, it is done once */
  post(path: string, key?: string): Promise<Answered> {
    return this.ask('POST', path, key === undefined ? {} : { 'idempotency-key': key });
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<WebEnd> {
    this.#child.kill(signal);
    return this.ended;
  }
}
