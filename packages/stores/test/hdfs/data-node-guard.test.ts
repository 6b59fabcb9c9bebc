import { checkDataNode, type DataNodeRules } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';

interface Case {
  readonly nameNode?: string;
  readonly isTls?: boolean;
  readonly dataHosts?: readonly string[];
  /** What the host stands for. */
  readonly addresses?: readonly string[];
  readonly mapDataNode?: DataNodeRules['mapDataNode'];
}

async function check(location: string, { nameNode = 'nn1.example.org', isTls = false, dataHosts = [], ...rest }: Case) {
  const from = { isTls, host: nameNode, port: 9870 };
  const looked: string[] = [];
  const target = await checkDataNode(location, from, {
    nameNodes: [from],
    dataHosts,
    mapDataNode: rest.mapDataNode,
    resolveHost: async (host) => {
      looked.push(host);
      return (rest.addresses ?? [/^[\d.]+$|:/.test(host) ? host : '10.1.2.3']).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
    },
  });
  return { ...target, looked };
}

describe('allowed', () => {
  test.each<[string, Case]>([
    ['http://nn1.example.org:9864/x?op=CREATE', {}],
    ['http://dn7.example.org:9864/x', {}],
    ['http://DN7.Example.org:9864/x', {}],
    ['http://rack.dn7.example.org:9864/x', {}],
    ['https://dn7.example.org:9865/x', {}],
    ['https://dn7.example.org:9865/x', { isTls: true }],
    ['http://datanode:9864/x', { nameNode: 'namenode' }],
    ['http://10.0.0.5:9864/x', { nameNode: '10.0.0.5' }],
    ['http://10.0.0.6:9864/x', { nameNode: '10.0.0.5', dataHosts: ['10.0.0.6'] }],
    ['http://dn.other.net/x', { dataHosts: ['*.other.net'] }],
    ['http://[fd00::5]:9864/x', { dataHosts: ['fd00::5'] }],
    ['http://127.0.0.1:9864/x', { nameNode: 'localhost' }],
    ['http://localhost:9864/x', { nameNode: '127.0.0.1', addresses: ['127.0.0.1', '::1'] }],
  ])('%s from %j', async (location, situation) => {
    expect((await check(location, situation)).url.href).toBe(new URL(location).href);
  });

  test('the addresses that were looked at are those that are taken', async () => {
    const { addresses, looked } = await check('http://dn7.example.org:9864/x', { addresses: ['10.0.0.1', 'fd00::1'] });
    expect(addresses.map(({ address }) => address)).toEqual(['10.0.0.1', 'fd00::1']);
    expect(looked).toEqual(['dn7.example.org']);
  });

  test('where the caller says that a data node is, in its own words', async () => {
    const asked: unknown[] = [];
    const mapDataNode: DataNodeRules['mapDataNode'] = (host, port) => {
      asked.push([host, port]);
      return { host: '127.0.0.1', port: 1234 };
    };
    const { url } = await check('http://anything.else:9864/webhdfs/v1/x?op=OPEN', { mapDataNode });
    expect(url.href).toBe('http://127.0.0.1:1234/webhdfs/v1/x?op=OPEN');
    expect(asked).toEqual([['anything.else', 9864]]);
  });
});

describe('refused', () => {
  test.each<[string, Case]>([
    ['http://example.org:9864/x', {}],
    ['http://dn.example.com:9864/x', {}],
    ['http://dn1.badexample.org:9864/x', {}],
    ['http://nn1.example.org.evil.net/x', {}],
    ['http://evil.net/nn1.example.org', {}],
    ['http://other.org/x', { nameNode: 'nn.org' }],
    ['http://dn.example.org/x', { nameNode: 'namenode' }],
    ['http://10.0.0.6:9864/x', { nameNode: '10.0.0.5' }],
    ['http://other.net/x', { dataHosts: ['*.other.net'] }],
    ['http://dn.other.net.evil.org/x', { dataHosts: ['*.other.net'] }],
    ['http://dn7.example.org:9864/x', { isTls: true }],
    ['http://user@dn7.example.org/x', {}],
    ['http://:pw@dn7.example.org/x', {}],
    ['ftp://dn7.example.org/x', {}],
    ['file:///etc/passwd', {}],
    ['javascript:alert(1)', {}],
    ['//dn7.example.org/x', {}],
    ['', {}],
    // Names that are allowed, and stand for places that are not.
    ['http://dn7.example.org/x', { addresses: ['169.254.169.254'] }],
    ['http://dn7.example.org/x', { addresses: ['10.0.0.1', '169.254.0.1'] }],
    ['http://dn7.example.org/x', { addresses: ['100.100.100.200'] }],
    ['http://dn7.example.org/x', { addresses: ['127.0.0.1'] }],
    ['http://dn7.example.org/x', { addresses: ['::1'] }],
    ['http://dn7.example.org/x', { addresses: ['::ffff:127.0.0.1'] }],
    ['http://dn7.example.org/x', { addresses: ['::ffff:a9fe:a9fe'] }],
    ['http://dn7.example.org/x', { addresses: ['::ffff:169.254.169.254'] }],
    ['http://dn7.example.org/x', { addresses: ['64:ff9b::a9fe:a9fe'] }],
    ['http://dn7.example.org/x', { addresses: ['fe80::1%eth0'] }],
    ['http://dn7.example.org/x', { addresses: ['fd00:ec2::254'] }],
    ['http://dn7.example.org/x', { addresses: ['0.0.0.0'] }],
    ['http://dn7.example.org/x', { addresses: ['::'] }],
    ['http://dn7.example.org/x', { addresses: ['224.0.0.1'] }],
    ['http://dn7.example.org/x', { addresses: ['ff02::1'] }],
    ['http://localhost:9864/x', {}],
    ['http://127.0.0.1:9864/x', { dataHosts: ['127.0.0.1'] }],
    ['http://169.254.169.254/x', { dataHosts: ['169.254.169.254'] }],
    // Other ways to write addresses: a URL makes them plain.
    ['http://0x7f000001/x', {}],
    ['http://2852039166/x', { dataHosts: ['169.254.169.254'] }],
    ['http://0251.0376.0251.0376/x', { dataHosts: ['169.254.169.254'] }],
  ])('%s from %j', async (location, situation) => {
    await expect(check(location, situation)).rejects.toMatchObject({ kind: 'denied', code: 'STORE_REDIRECT_REFUSED' });
  });

  test('a host that is not allowed is not even looked up, and no query is shown', async () => {
    const from = { isTls: false, host: 'nn', port: 9870 };
    const rules: DataNodeRules = {
      nameNodes: [from],
      dataHosts: [],
      mapDataNode: undefined,
      resolveHost: () => expect.unreachable('looked up'),
    };
    await expect(checkDataNode('http://evil.net/x?delegation=canary', from, rules)).rejects.toThrow(
      /^(?!.*canary).*http:\/\/evil\.net.*data-hosts=evil\.net/,
    );
  });
});
