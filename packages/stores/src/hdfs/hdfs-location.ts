import { StoreError } from '../errors.ts';
import { withoutSecrets } from '../without-secrets.ts';
import { isLoopbackHost } from '../loopback.ts';

/** One name node's (or gateway's) WebHDFS address. */
export interface NameNodeAddress {
  readonly isTls: boolean;
  /** Without brackets, also for IPv6. */
  readonly host: string;
  readonly port: number;
}

/** What a location of an HDFS store says. */
export interface HdfsLocation {
  /** For people; holds no query. */
  readonly url: string;
  readonly nameNodes: readonly NameNodeAddress[];
  /** Folder of the store in HDFS: absolute, decoded, without a slash at the end. */
  readonly root: string;
  readonly user: string | undefined;
  /** Hosts of data nodes beside those that are allowed anyway; `*.example.org` stands for all hosts below it. */
  readonly dataHosts: readonly string[];
  readonly delegationTokenFile: string | undefined;
  readonly isHttpAllowed: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const HDFS_SCHEMES: ReadonlySet<string> = new Set(['hdfs', 'webhdfs', 'swebhdfs']);

const HTTP_PORT = 9870;
const HTTPS_PORT = 9871;

/** Ports at which name nodes listen for Hadoop's own protocol, not WebHDFS: people copy them from `fs.defaultFS`. */
const RPC_PORTS: ReadonlySet<number> = new Set([8020, 8022, 9000]);

const PARAMETERS = ['user', 'namenodes', 'data-hosts', 'delegation-token-file', 'allow-http'] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Parameters that people would use for secrets. They are refused with a way that keeps the secret out of lists of processes. */
const SECRET = /^(?:delegation|token|delegation-token|password|basic|basic-password|secret)$/i;

/**
 * Reads `hdfs://HOST[:PORT]/FOLDER`, `webhdfs://HOST:PORT[,HOST:PORT]/FOLDER` or `swebhdfs://…` (TLS).
 *
 * A port is WebHDFS's own: 9870 when none is given, 9871 with TLS. In `hdfs:` the ports of Hadoop's own protocol (8020, 8022, 9000)
 * are taken for the default, as WebHDFS never listens there. `hdfs:///FOLDER` takes the name nodes from `HDFS_NAMENODES`.
 *
 * @throws `STORE_BAD_URL`; no text of it ever shows a secret.
 */
export function parseHdfsLocation(location: string, environment: Environment): HdfsLocation {
  const [, schemeText = '', authority = '', path = '', query] =
    /^([A-Za-z]+):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/s.exec(location) ?? [];
  const scheme = schemeText.toLowerCase();
  const fail = (why: string): never => refuse(location, why);
  if (!HDFS_SCHEMES.has(scheme)) return fail('It has not the form hdfs://HOST:PORT/FOLDER.');
  if (authority.includes('@'))
    return fail('It holds no user and no password: name the user as ?user=NAME, and keep secrets in the environment.');
  const parameters = readQuery(query, fail);
  const root = readRoot(path, fail);
  const hosts = [authority, parameters.get('namenodes') ?? ''].filter((text) => text !== '').join(',');
  const nameNodes = readNameNodes(hosts === '' ? (environment['HDFS_NAMENODES'] ?? '') : hosts, scheme, fail);
  if (nameNodes.length === 0)
    return fail('It names no host: write hdfs://HOST/FOLDER, or set HDFS_NAMENODES=HOST:PORT,HOST:PORT.');
  return {
    url: `${scheme}://${nameNodes.map(shown).join(',')}${root.split('/').map(encodeURIComponent).join('/')}`,
    nameNodes,
    root,
    user: parameters.get('user'),
    dataHosts: readHosts(parameters.get('data-hosts') ?? '', fail),
    delegationTokenFile: parameters.get('delegation-token-file'),
    isHttpAllowed: readFlag(parameters.get('allow-http'), fail),
  };
}

/** `http://host:port`, for error texts and as the base of requests. */
export function originOf({ isTls, host, port }: NameNodeAddress): string {
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether what is sent to these name nodes can be read by nobody on the way. */
export function isPrivate(nameNodes: readonly NameNodeAddress[]): boolean {
  return nameNodes.every(({ isTls, host }) => isTls || isLoopbackHost(host));
}

type Fail = (why: string) => never;

function readQuery(query: string | undefined, fail: Fail): ReadonlyMap<Parameter, string> {
  const found = new Map<Parameter, string>();
  for (const part of query === undefined || query === '' ? [] : query.split('&')) {
    const [key = '', ...rest] = part.split('=');
    const name = decoded(key, fail);
    if (SECRET.test(name))
      return fail(
        'Secrets have no place in it: use HDFS_DELEGATION_TOKEN, ?delegation-token-file=FILE, or HDFS_BASIC_USER and HDFS_BASIC_PASSWORD.',
      );
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined)
      return fail(`It has an unknown parameter. Known are ${PARAMETERS.map((each) => `"${each}"`).join(', ')}.`);
    if (found.has(known)) return fail(`"${known}" stands twice in it.`);
    const value = decoded(rest.join('='), fail);
    if (value === '') return fail(`"${known}" has no value.`);
    found.set(known, value);
  }
  return found;
}

function readRoot(path: string, fail: Fail): string {
  const segments = path
    .replace(/\/+$/, '')
    .split('/')
    .slice(1)
    .map((segment) => decoded(segment, fail));
  if (segments.length === 0) return fail('It names no folder, and a store needs one of its own.');
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..' || /[/:\p{Cc}]/u.test(segment))
      return fail('Its path has an empty part, ".", "..", ":" or a control character, which HDFS takes in no name.');
  }
  return `/${segments.join('/')}`;
}

function readNameNodes(list: string, scheme: string, fail: Fail): readonly NameNodeAddress[] {
  return list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => readNameNode(text, scheme, fail));
}

function readNameNode(text: string, scheme: string, fail: Fail): NameNodeAddress {
  const [, http, bracketed, plain, portText] =
    /^(https?:\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\/?$/.exec(text) ?? [];
  const host = (bracketed ?? plain)?.toLowerCase();
  if (host === undefined) return fail('A name node is HOST, HOST:PORT or [IPv6]:PORT; several stand between commas.');
  const isTls = http === undefined ? scheme === 'swebhdfs' : http === 'https://';
  if (scheme === 'swebhdfs' && !isTls) return fail('swebhdfs: means TLS, but a name node is named with http://.');
  const own = isTls ? HTTPS_PORT : HTTP_PORT;
  const port = portText === undefined ? own : Number(portText);
  if (port < 1 || port > 65_535) return fail('A port is a number from 1 to 65535.');
  return { isTls, host, port: scheme === 'hdfs' && RPC_PORTS.has(port) ? own : port };
}

function readHosts(list: string, fail: Fail): readonly string[] {
  const hosts = list
    .split(',')
    .map((text) =>
      text
        .trim()
        .toLowerCase()
        .replace(/^\[(.*)\]$/, '$1'),
    )
    .filter((text) => text !== '');
  for (const host of hosts) {
    if (!/^(?:\*\.)?[a-z0-9._-]+$|^[0-9a-f:.]+$/.test(host))
      return fail('"data-hosts" holds hosts between commas, without ports; "*.example.org" stands for all below it.');
  }
  return hosts;
}

function readFlag(value: string | undefined, fail: Fail): boolean {
  if (value === undefined || value === 'false') return false;
  return value === 'true' ? true : fail('"allow-http" is true or false.');
}

function decoded(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('It has a "%" that begins no escape; write it as %25.');
  }
}

function shown({ host, port }: NameNodeAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function refuse(location: string, why: string): never {
  throw new StoreError(
    'fatal',
    'STORE_BAD_URL',
    `"${withoutSecrets(location)}" is no location of an HDFS store. ${why} Expected hdfs://HOST:PORT/FOLDER, ` +
      'webhdfs://HOST:PORT,HOST:PORT/FOLDER or swebhdfs://HOST:PORT/FOLDER.',
  );
}
