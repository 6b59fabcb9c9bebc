import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openHdfsStore } from '@tidemark/stores';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScriptedHdfs } from './scripted-hdfs.ts';

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const PASSWORD = { HDFS_BASIC_USER: 'me', HDFS_BASIC_PASSWORD: 'pass:word' };
const BASIC = `Basic ${Buffer.from('me:pass:word').toString('base64')}`;

let gateway: ScriptedHdfs;
beforeEach(async () => {
  gateway = await ScriptedHdfs.start({ isTls: true });
});
afterEach(() => gateway.stop());

/** A process that trusts the certificate, as NODE_EXTRA_CA_CERTS is read when a process starts. */
async function trusting(location: string): Promise<string> {
  const env = { ...process.env, ...PASSWORD, NODE_EXTRA_CA_CERTS: fixture('loopback-cert.pem') };
  const { stdout } = await run(process.execPath, [fixture('hdfs-tls.mjs'), location], { env });
  return stdout;
}

test('a gateway that sends us to itself gets the password at both hops, over TLS', async () => {
  expect(await trusting(`swebhdfs://${gateway.host}/s`)).toBe('stored over TLS');
  expect(new Set(gateway.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([BASIC]));
  expect(gateway.asked.some(({ isData }) => isData)).toBe(true);
  expect(gateway.breaches).toEqual([]);
});

test('a data node never gets the password', async () => {
  const dataNode = await ScriptedHdfs.start({ isTls: true });
  gateway.script = ({ operation, path }, response) => {
    if (operation !== 'CREATE') return 'usual';
    // The answer comes from elsewhere, so that the put fails: only what was sent there is looked at.
    response
      .writeHead(307, { location: `https://${dataNode.host}/data/webhdfs/v1${path}?op=CREATE&createflag=SYNC_BLOCK` })
      .end();
    return undefined;
  };
  try {
    await expect(trusting(`swebhdfs://${gateway.host}/s`)).rejects.toThrow(/STORE_IO/);
    expect(dataNode.asked.length).toBeGreaterThan(0);
    expect(dataNode.asked.map(({ headers }) => headers.authorization)).toEqual(dataNode.asked.map(() => undefined));
  } finally {
    await dataNode.stop();
  }
});

test('from TLS nobody sends us out of it', async () => {
  gateway.script = ({ operation }, response) => {
    if (operation !== 'CREATE') return 'usual';
    response
      .writeHead(307, { location: `http://${gateway.host}/data/webhdfs/v1/x?op=CREATE&createflag=SYNC_BLOCK` })
      .end();
    return undefined;
  };
  await expect(trusting(`swebhdfs://${gateway.host}/s`)).rejects.toThrow(/STORE_REDIRECT_REFUSED.*leave TLS/s);
});

test('a certificate that nobody vouches for is refused, and nothing was sent', async () => {
  const opening = openHdfsStore(`swebhdfs://${gateway.host}/s`, { environment: PASSWORD });
  await expect(opening).rejects.toMatchObject({ code: 'STORE_INSECURE', kind: 'fatal' });
  expect(gateway.asked).toEqual([]);
});
