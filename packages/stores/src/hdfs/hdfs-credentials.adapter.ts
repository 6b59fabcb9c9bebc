import { exec } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { StoreError } from '../errors.ts';
import { isLoopbackHost } from '../loopback.ts';
import { type Environment, type HdfsLocation, isPrivate, type NameNodeAddress } from './hdfs-location.ts';

const COMMAND_MS = 30_000;
const TOKEN_CHARS_MAX = 16_384;

/**
 * Who we are to the cluster: a delegation token, a password (Basic, for Knox and other gateways), or only a name, which an
 * unsecured cluster takes on trust.
 *
 * It owns the secrets: they are in private fields, so that no inspection shows them; they leave it only as parameters and
 * headers of requests to name nodes, and `redact` takes them out of every text that a server sent.
 */
export class HdfsCredentials {
  readonly #user: string;
  readonly #basic: string | undefined;
  readonly #basicPassword: string | undefined;
  readonly #readToken: (() => Promise<string>) | undefined;
  readonly #isRenewable: boolean;
  #token: Promise<string> | undefined;
  #tokensSeen: readonly string[] = [];

  private constructor(parts: {
    readonly user: string;
    readonly basic: { readonly user: string; readonly password: string } | undefined;
    readonly readToken: (() => Promise<string>) | undefined;
    readonly isRenewable: boolean;
  }) {
    this.#user = parts.user;
    this.#readToken = parts.readToken;
    this.#isRenewable = parts.isRenewable;
    this.#basicPassword = parts.basic?.password;
    this.#basic =
      parts.basic && `Basic ${Buffer.from(`${parts.basic.user}:${parts.basic.password}`).toString('base64')}`;
  }

  /** @throws `STORE_INSECURE` when a secret would cross the network readable; `STORE_CREDENTIALS` when half of one is given. */
  static from(location: HdfsLocation, environment: Environment): HdfsCredentials {
    const basic = basicFrom(environment, location.url);
    const command = environment['HDFS_DELEGATION_TOKEN_COMMAND'];
    const token = environment['HDFS_DELEGATION_TOKEN'];
    const file = location.delegationTokenFile;
    const readToken =
      file !== undefined
        ? () => tokenFromFile(file)
        : command !== undefined
          ? () => tokenFromCommand(command)
          : token !== undefined
            ? async () => token
            : undefined;
    const { url, nameNodes, isHttpAllowed } = location;
    if (basic !== undefined && !isPrivate(nameNodes)) throw insecure('password', url, nameNodes, false);
    if (readToken !== undefined && !isHttpAllowed && !isPrivate(nameNodes))
      throw insecure('delegation token', url, nameNodes, true);
    const user = location.user ?? environment['HADOOP_USER_NAME'] ?? userInfo().username;
    return new HdfsCredentials({ user, basic, readToken, isRenewable: file !== undefined || command !== undefined });
  }

  /** Query parameters for a name node. A cluster refuses a token beside a user's name. */
  async parameters(): Promise<Readonly<Record<string, string>>> {
    if (this.#readToken !== undefined) return { delegation: await this.#currentToken(this.#readToken) };
    return this.#basic === undefined ? { 'user.name': this.#user } : {};
  }

  /** Headers for a name node, and for a gateway that sends us to itself. */
  get headers(): Readonly<Record<string, string>> {
    return this.#basic === undefined ? {} : { authorization: this.#basic };
  }

  /** Gets the token anew after it was refused; answers whether there is another one to try. */
  async renew(): Promise<boolean> {
    if (!this.#isRenewable || this.#readToken === undefined) return false;
    const before = this.#tokensSeen.at(-1);
    this.#token = undefined;
    return (await this.#currentToken(this.#readToken)) !== before;
  }

  redact(text: string): string {
    const secrets = [...this.#tokensSeen, this.#basicPassword, this.#basic?.slice('Basic '.length)];
    return secrets.reduce<string>(
      (shown, secret) =>
        secret === undefined || secret === ''
          ? shown
          : shown.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***'),
      text,
    );
  }

  async #currentToken(read: () => Promise<string>): Promise<string> {
    this.#token ??= read().then((token) => {
      if (!this.#tokensSeen.includes(token)) this.#tokensSeen = [...this.#tokensSeen.slice(-7), token];
      return token;
    });
    try {
      return await this.#token;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }
}

function basicFrom(environment: Environment, url: string): { user: string; password: string } | undefined {
  const user = environment['HDFS_BASIC_USER'];
  const password = environment['HDFS_BASIC_PASSWORD'];
  if (user === undefined && password === undefined) return undefined;
  if (user !== undefined && password !== undefined && !user.includes(':')) return { user, password };
  throw new StoreError(
    'denied',
    'STORE_CREDENTIALS',
    `${url} cannot be opened: HDFS_BASIC_USER (without ":") and HDFS_BASIC_PASSWORD belong together. Set both, or none.`,
  );
}

async function tokenFromFile(path: string): Promise<string> {
  try {
    return checkedToken(await readFile(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw noToken(`the file ${path} cannot be read`, cause);
  }
}

/** The command belongs to the environment, never to a location: a location may come from a file of someone else. */
async function tokenFromCommand(command: string): Promise<string> {
  const text = await new Promise<string>((resolve, reject) => {
    exec(command, { timeout: COMMAND_MS, maxBuffer: 2 * TOKEN_CHARS_MAX, encoding: 'utf8' }, (error, stdout) => {
      // The error's own text holds the command and what it printed: neither is for a log.
      if (error === null) resolve(stdout);
      else reject(noToken(`HDFS_DELEGATION_TOKEN_COMMAND failed (${String(error.code ?? error.signal)})`));
    });
  });
  return checkedToken(text, 'HDFS_DELEGATION_TOKEN_COMMAND');
}

/** A token is the text that `fetchdt` and GETDELEGATIONTOKEN give: URL-safe base64. */
function checkedToken(text: string, from: string): string {
  const token = text.trim();
  if (token.length > 0 && token.length <= TOKEN_CHARS_MAX && /^[A-Za-z0-9_+/=-]+$/.test(token)) return token;
  throw noToken(`${from} holds no token in its text form (URL-safe base64)`);
}

function noToken(why: string, cause?: unknown): StoreError {
  return new StoreError('denied', 'STORE_CREDENTIALS', `There is no delegation token: ${why}. Get one with fetchdt.`, {
    cause,
  });
}

function insecure(what: string, url: string, nameNodes: readonly NameNodeAddress[], isAllowable: boolean): StoreError {
  const open = nameNodes.find(({ isTls, host }) => !isTls && !isLoopbackHost(host))?.host ?? '';
  return new StoreError(
    'fatal',
    'STORE_INSECURE',
    `${url} would send the ${what} to ${open} without encryption. Use swebhdfs:// (TLS)` +
      (isAllowable ? ', or say ?allow-http=true if nobody listens in that network.' : '.'),
  );
}
