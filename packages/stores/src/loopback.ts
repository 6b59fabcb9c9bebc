import { isIPv4, isIPv6 } from 'node:net';

/**
 * Whether a host, as a URL writes it, is surely this machine: what is sent there crosses no network. A name that only
 * happens to resolve to this machine is not one, because another machine may resolve it otherwise.
 *
 * @example isLoopbackHost('127.0.0.1'); // true, as are 'localhost' and '[::1]'
 */
export function isLoopbackHost(host: string): boolean {
  const bare = host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '');
  if (isIPv4(bare)) return bare.startsWith('127.');
  if (isIPv6(bare)) return bare === '::1' || bare === '0:0:0:0:0:0:0:1';
  // RFC 6761, section 6.3.
  return bare === 'localhost' || bare.endsWith('.localhost');
}
