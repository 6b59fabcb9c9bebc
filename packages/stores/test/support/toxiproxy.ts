import { startService } from './services.ts';

/** A fault, as Toxiproxy names it: `{ type: 'latency', attributes: { latency: 300 } }`. */
export interface Toxic {
  readonly type: string;
  /** `downstream` is the server's answer, `upstream` what we send. */
  readonly stream: 'downstream' | 'upstream';
  readonly attributes: Readonly<Record<string, number>>;
}

/** A proxy that breaks connections on command. */
export class Toxiproxy {
  readonly #url: string;
  readonly stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.#url = url;
    this.stop = stop;
  }

  static async start(): Promise<Toxiproxy> {
    const { env, stop } = await startService('toxiproxy');
    return new Toxiproxy(env['TOXIPROXY_URL'] ?? '', stop);
  }

  /** Puts a proxy before `upstream` (`host:port`); answers its own `host:port`. */
  async proxy(name: string, upstream: string, listen = '127.0.0.1:0'): Promise<string> {
    const answer = await this.#ask('POST', '/proxies', { name, listen, upstream });
    return (answer as { readonly listen: string }).listen;
  }

  /** Breaks the connections of a proxy, those that are open too. */
  async break(proxy: string, toxic: Toxic): Promise<void> {
    await this.#ask('POST', `/proxies/${proxy}/toxics`, { name: toxic.type, toxicity: 1, ...toxic });
  }

  /** Refuses connections from now on. */
  async refuse(proxy: string): Promise<void> {
    await this.#ask('POST', `/proxies/${proxy}`, { enabled: false });
  }

  /** Removes every fault. */
  async heal(): Promise<void> {
    await this.#ask('POST', '/reset');
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.#url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy refused ${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
