import { isIP } from 'node:net';
import { StoreError } from '../errors.ts';
import { isLoopbackHost } from '../loopback.ts';
import type { NameNodeAddress } from './hdfs-location.ts';

/** Where the bytes of a file go to or come from, as a name node said and as it was checked. */
export interface DataNodeTarget {
  readonly url: URL;
  /** The addresses that its host stands for: the connection takes one of them, so that a name cannot change meanwhile. */
  readonly addresses: readonly HostAddress[];
}

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Answers the address to take instead of a data node's own, or undefined for its own. */
export type MapDataNode = (host: string, port: number) => { readonly host: string; readonly port: number } | undefined;

export interface DataNodeRules {
  readonly nameNodes: readonly NameNodeAddress[];
  /** Hosts beside the name nodes' own and those of their domains. */
  readonly dataHosts: readonly string[];
  readonly mapDataNode: MapDataNode | undefined;
  readonly resolveHost: (host: string) => Promise<readonly HostAddress[]>;
}

/**
 * Decides whether we go where a name node sends us. A redirect carries the delegation token and the data, so that a name node that
 * somebody else speaks for must not be able to send them anywhere.
 *
 * - The scheme stays, or gets better: never from https to http.
 * - The host is a name node's, in the domain of one, or in `data-hosts`. A name without a dot is in the domain of all such.
 * - No address is link-local, unspecified, multicast or a cloud's metadata service; none is loopback unless the name node's is.
 *
 * What `mapDataNode` answers is the caller's own word: its host need not be in a list.
 *
 * @throws `STORE_REDIRECT_REFUSED`; nothing was sent there.
 */
export async function checkDataNode(
  location: string,
  from: NameNodeAddress,
  rules: DataNodeRules,
): Promise<DataNodeTarget> {
  const url = parse(location);
  if (url.username !== '' || url.password !== '') throw refused(url, 'it holds a user or a password');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(url, 'it is neither http nor https');
  if (from.isTls && url.protocol === 'http:') throw refused(url, 'it would leave TLS');
  const mapped = rules.mapDataNode?.(bare(url.hostname), portOf(url));
  if (mapped !== undefined) {
    url.hostname = mapped.host;
    url.port = String(mapped.port);
  } else if (!isAllowed(bare(url.hostname), rules)) {
    throw refused(url, `its host is not one of yours: add ?data-hosts=${bare(url.hostname)} if it is`);
  }
  const addresses = await rules.resolveHost(bare(url.hostname));
  for (const { address } of addresses) {
    if (isForbidden(address)) throw refused(url, `its address ${address} belongs to no data node`);
    if (isLoopbackHost(address) && !isLoopbackHost(from.host) && mapped === undefined)
      throw refused(url, 'it leads to this machine, which the name node is not');
  }
  return { url, addresses };
}

/** Scheme, host and port: what may be shown of a redirect, whose query holds the token. */
export function shownTarget(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

function isAllowed(host: string, { nameNodes, dataHosts }: DataNodeRules): boolean {
  return (
    nameNodes.some((nameNode) => host === nameNode.host || isNeighbour(host, nameNode.host)) ||
    nameNodes.some((nameNode) => isLoopbackHost(host) && isLoopbackHost(nameNode.host)) ||
    dataHosts.some((allowed) => (allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed))
  );
}

/** Two names of one domain. `nn.example.org` and `dn.example.org` are; `example.org` and `example.com` are not. */
function isNeighbour(host: string, nameNode: string): boolean {
  if (isIP(host) !== 0 || isIP(nameNode) !== 0) return false;
  const domain = nameNode.split('.').slice(1).join('.');
  if (domain === '') return !host.includes('.');
  return domain.includes('.') && host.endsWith(`.${domain}`);
}

/** `::ffff:169.254.169.254` is the same place as its last part. */
function isForbidden(address: string): boolean {
  const plain = address
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '');
  if (isIP(plain) === 4) {
    const [first = 0, second = 0] = plain.split('.').map(Number);
    return first === 0 || first >= 224 || (first === 169 && second === 254) || plain === '100.100.100.200';
  }
  // Unspecified; IPv4 in hexadecimal; IPv4's link-local behind NAT64; link-local; site-local; multicast; the metadata service of AWS.
  return plain === '::' || /^(?:::ffff:|64:ff9b::a9fe:|fe[89a-f]|ff)/.test(plain) || plain === 'fd00:ec2::254';
}

function parse(location: string): URL {
  try {
    return new URL(location);
  } catch {
    throw new StoreError(
      'denied',
      'STORE_REDIRECT_REFUSED',
      'A name node sent us to something that is no URL. Nothing was sent there. See that the location names a name node.',
    );
  }
}

function refused(url: URL, why: string): StoreError {
  return new StoreError(
    'denied',
    'STORE_REDIRECT_REFUSED',
    `A name node sent us to ${shownTarget(url)}, and ${why}. Nothing was sent there.`,
  );
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
