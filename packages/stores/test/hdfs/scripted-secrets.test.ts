import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { openHdfsStore } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import { realFolders } from '../real-folder.ts';
import { ROWS, throwing } from './scripted-rows.ts';
import { everything, HANGS_MS, rejection, scriptedStore, STALL_MS } from './scripted-store.ts';

const world = scriptedStore();

describe('secrets', () => {
  const newFolder = realFolders();
  const tokenFile = () => join(newFolder(), 'token');

  test('an expired token is read again from its file, once', async () => {
    const file = tokenFile();
    writeFileSync(file, 'OLD-TOKEN\n');
    const withToken = await openHdfsStore(
      `webhdfs://${world.hdfs.host}/s?delegation-token-file=${encodeURIComponent(file)}`,
    );
    world.hdfs.script = (asked, response) =>
      asked.isData || asked.parameters.get('delegation') === 'NEW-TOKEN'
        ? 'usual'
        : throwing('InvalidToken', 'token is expired')(response);
    expect(await rejection(withToken.list(''))).toMatchObject({ code: 'STORE_CREDENTIALS', kind: 'denied' });
    writeFileSync(file, 'NEW-TOKEN\n');
    expect(await withToken.list('')).toEqual(['there']);
    expect(world.hdfs.asked.at(-1)?.parameters.has('user.name'), 'no name beside a token').toBe(false);
    await withToken.close();
  });

  test('a command gives the token, and its failure shows neither it nor what it printed', async () => {
    const environment = { HDFS_DELEGATION_TOKEN_COMMAND: 'echo TOKEN-OF-A-COMMAND' };
    const opened = await openHdfsStore(`webhdfs://${world.hdfs.host}/s`, { environment });
    expect(world.hdfs.asked.at(-1)?.parameters.get('delegation')).toBe('TOKEN-OF-A-COMMAND');
    await opened.close();
    const failing = { HDFS_DELEGATION_TOKEN_COMMAND: 'echo canary; echo canary >&2; exit 3' };
    const error = await rejection(openHdfsStore(`webhdfs://${world.hdfs.host}/s`, { environment: failing }));
    expect(error).toMatchObject({ code: 'STORE_CREDENTIALS', kind: 'denied' });
    expect(everything(error)).not.toMatch(/canary/);
  });

  test.each(ROWS.filter(({ fault }) => !fault.includes('never') && !fault.includes('hangs')))(
    'neither token nor password is in any error: $fault',
    async ({ calls, script }) => {
      const environment = {
        HDFS_DELEGATION_TOKEN: 'canary-TOKEN',
        HDFS_BASIC_USER: 'me',
        HDFS_BASIC_PASSWORD: 'canary password',
      };
      await world.store.close();
      world.store = await openHdfsStore(`webhdfs://${world.hdfs.host}/s`, { environment, stallMs: STALL_MS });
      world.hdfs.script = script;
      for (const call of calls) {
        const error = await rejection(world.call(call));
        expect(everything(error)).not.toMatch(/canary/i);
        expect(everything(error)).not.toContain(Buffer.from('me:canary password').toString('base64'));
      }
      expect(inspect(world.store, { depth: 20, showHidden: true })).not.toMatch(/canary/i);
    },
    HANGS_MS,
  );

  test('what a server says of them is taken out', async () => {
    const environment = {
      HDFS_DELEGATION_TOKEN: 'canary-TOKEN',
      HDFS_BASIC_USER: 'me',
      HDFS_BASIC_PASSWORD: 'canary password',
    };
    const opened = await openHdfsStore(`webhdfs://${world.hdfs.host}/s`, { environment });
    world.hdfs.script = (_asked, response) =>
      throwing('IOException', 'url=/x?delegation=canary-TOKEN&p=canary%20password\n\tat java.lang.Thread')(response);
    const error = await rejection(opened.list(''));
    expect(everything(error)).not.toMatch(/canary|java\.lang/);
    expect(error.message).toContain('delegation=***');
    await opened.close();
  });
});
