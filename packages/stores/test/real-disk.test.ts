import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openFolderStore, openStore, type Store } from '@tidemark/stores';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { bytesOf } from './disk-parts.ts';
import { realFolders } from './real-folder.ts';

const newFolder = realFolders();
const OPEN_AND_PUT = fileURLToPath(new URL('./fixtures/open-and-put.mjs', import.meta.url));
const NOBODY = 65_534;

describe('a small disk of our own', () => {
  const disk = mkdtempSync(join(tmpdir(), 'tidemark-disk-'));
  let refusal: string | undefined;

  beforeAll(() => {
    refusal = reasonOfFailure('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  });
  afterAll(() => {
    if (refusal === undefined) system('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const needsDisk = (context: TestContext) => {
    if (refusal !== undefined) context.skip(`system: a tmpfs cannot be mounted (${refusal})`);
  };

  test('when it is full the put says so, leaves nothing, and works again once there is room', async (context) => {
    needsDisk(context);
    const store = await openFolderStore(join(disk, 'full'));
    const stored = await putUntil(store, 'STORE_FULL');
    expect(stored.length).toBeGreaterThan(5);
    expect(await store.list('')).toEqual(stored);
    for (const name of stored) expect((await store.get(name)).length).toBe(20_000);
    expect(readdirSync(join(disk, 'full/tmp'))).toEqual([]);

    const full = {
      kind: 'retry',
      code: 'STORE_FULL',
      message: expect.stringMatching(/write .*tmp\/.*is full \(ENOSPC\)\. Free space/),
    };
    await expect(store.put('streamed', chunks(20, 20_000))).rejects.toMatchObject(full);
    await expect(store.replace('o0001', new Uint8Array(30_000))).rejects.toMatchObject(full);
    expect((await store.get('o0001')).length).toBe(20_000);
    for (const name of stored.slice(0, 3)) await store.delete(name);
    await store.put('again', new Uint8Array(20_000));
    expect(await store.list('')).toContain('again');
  });

  test('a full disk is refused at the opening', async (context) => {
    needsDisk(context);
    const filler = join(disk, 'filler');
    expect(() => writeFileSync(filler, new Uint8Array(300_000))).toThrow(/ENOSPC/);
    await expect(openFolderStore(join(disk, 'more'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    rmSync(filler);
    await openFolderStore(join(disk, 'more'));
  });

  test('when it becomes read-only puts say so, reads go on, and it heals', async (context) => {
    needsDisk(context);
    rmSync(join(disk, 'full'), { recursive: true, force: true });
    const store = await openFolderStore(join(disk, 'read-only'));
    await store.put('log/1', bytesOf('before'));
    system('mount', ['-o', 'remount,ro', disk]);
    try {
      const readOnly = { kind: 'denied', code: 'STORE_READ_ONLY', message: expect.stringMatching(/EROFS/) };
      await expect(store.put('log/2', bytesOf('x'))).rejects.toMatchObject(readOnly);
      await expect(store.putIfAbsent('new/1', bytesOf('x'))).rejects.toMatchObject(readOnly);
      await expect(store.replace('log/1', bytesOf('x'))).rejects.toMatchObject(readOnly);
      await expect(store.delete('log/1')).rejects.toMatchObject(readOnly);
      await expect(openFolderStore(join(disk, 'read-only'))).rejects.toMatchObject(readOnly);
      await expect(openFolderStore(join(disk, 'never/was'))).rejects.toMatchObject(readOnly);
      expect(await store.list('')).toEqual(['log/1']);
      expect(await store.get('log/1')).toEqual(bytesOf('before'));
    } finally {
      system('mount', ['-o', 'remount,rw', disk]);
    }
    await store.put('log/2', bytesOf('after'));
    expect(await store.list('')).toEqual(['log/1', 'log/2']);
  });

  test('a folder inside the store that lies on another disk is named as such', async (context) => {
    needsDisk(context);
    const folder = newFolder();
    const store = await openFolderStore(folder);
    mkdirSync(join(disk, 'elsewhere'));
    symlinkSync(join(disk, 'elsewhere'), join(folder, 'job'));
    await expect(store.put('job/1', bytesOf('x'))).rejects.toMatchObject({
      kind: 'fatal',
      code: 'STORE_IO',
      message: expect.stringMatching(/different disks \(EXDEV\)/),
    });
    expect(await store.list('')).toEqual([]);
  });
});

describe('paths that are no folder of ours', () => {
  test('a file in the place of the folder, or of a parent', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, 'x');
    const refused = { kind: 'fatal', code: 'STORE_NOT_A_FOLDER', message: expect.stringContaining(file) };
    await expect(openStore(file)).rejects.toMatchObject(refused);
    await expect(openStore(join(file, 'below'))).rejects.toMatchObject(refused);
  });

  test('S5: a file in the place of a folder is an error of a listing, not an empty one', async () => {
    const folder = newFolder();
    const store = await openFolderStore(folder);
    writeFileSync(join(folder, 'job'), 'x');
    await expect(store.list('job/log/')).rejects.toMatchObject({ code: 'STORE_NOT_A_FOLDER' });
    await expect(store.get('job/log/1')).rejects.toMatchObject({ code: 'STORE_NOT_A_FOLDER' });
  });

  test('S5: a folder that was moved and linked is listed, and a link to nowhere is an error', async () => {
    const folder = newFolder();
    const store = await openFolderStore(folder);
    await store.put('elsewhere/log/1', bytesOf('x'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'job'));
    expect(await store.list('job/')).toEqual(['job/log/1']);
    symlinkSync(join(folder, 'unmounted'), join(folder, 'lost'));
    await expect(store.list('')).rejects.toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('lost') });
  });

  test('foreign files are no objects', async () => {
    const folder = newFolder();
    const store = await openFolderStore(folder);
    for (const name of ['.DS_Store', 'a b', '_x']) writeFileSync(join(folder, name), 'x');
    for (const name of ['lost+found', '.git']) mkdirSync(join(folder, name));
    expect(await store.list('')).toEqual([]);
  });

  test('a root that vanished is an empty listing, and no put makes it again', async () => {
    const folder = newFolder();
    const store = await openFolderStore(folder);
    await store.put('log/1', bytesOf('x'));
    rmSync(folder, { recursive: true });
    expect(await store.list('')).toEqual([]);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(store.putIfAbsent('log/2', bytesOf('x'))).rejects.toMatchObject({ kind: 'retry', code: 'STORE_IO' });
  });
});

test('a user without rights is told so at the opening, and by a listing', async (context) => {
  if (process.getuid?.() !== 0) context.skip('system: only root can run a child as another user');
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const asNobody = (...args: readonly string[]) => runAs(NOBODY, [OPEN_AND_PUT, ...args]);
  if (!(await asNobody('hello')).startsWith('{')) context.skip('system: another user cannot read the built package');
  const store = await openFolderStore(join(folder, 'private'));
  await store.put('log/1', bytesOf('x'));
  const denied = { kind: 'denied', code: 'STORE_DENIED', errno: 'EACCES' };
  expect(JSON.parse(await asNobody('open', join(folder, 'new')))).toMatchObject(denied);
  expect(JSON.parse(await asNobody('open', join(folder, 'private')))).toMatchObject(denied);

  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  expect(JSON.parse(await asNobody('open', shared))).toEqual({ listed: ['log/1'] });
  mkdirSync(join(shared, 'secret'), { mode: 0o700 });
  expect(JSON.parse(await asNobody('list', shared))).toMatchObject(denied);
});

test('files and folders are for their owner only', async () => {
  const folder = join(newFolder(), 'made');
  const store = await openFolderStore(folder);
  await store.put('job/log/1', bytesOf('x'));
  const modes = execFileSync('stat', ['-c', '%a', folder, join(folder, 'job/log'), join(folder, 'job/log/1')]);
  expect(modes.toString().trim().split('\n')).toEqual(['700', '700', '600']);
});

test('stale temp files of dead processes go at the next opening', async () => {
  const folder = newFolder();
  await openFolderStore(folder);
  const [stale, young] = [join(folder, 'tmp/dead.part'), join(folder, 'tmp/living.part')];
  for (const path of [stale, young]) writeFileSync(path, 'half');
  utimesSync(stale, 1_000, 1_000);
  await openFolderStore(folder);
  expect(readdirSync(join(folder, 'tmp'))).toEqual(['living.part']);
});

async function putUntil(store: Store, code: string): Promise<readonly string[]> {
  const stored: string[] = [];
  for (let index = 1; index < 1_000; index++) {
    const name = `o${String(index).padStart(4, '0')}`;
    try {
      await store.put(name, new Uint8Array(20_000));
      stored.push(name);
    } catch (error) {
      expect(error).toMatchObject({ code });
      return stored;
    }
  }
  throw new Error('the disk never filled');
}

async function* chunks(count: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield new Uint8Array(sizeBytes);
}

/** Runs a program of the machine, not of a package. */
function system(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

function reasonOfFailure(command: string, args: readonly string[]): string | undefined {
  try {
    system(command, args);
    return undefined;
  } catch (error) {
    return String(error).split('\n').slice(0, 2).join(' ');
  }
}

/** What a child of another user prints. */
async function runAs(uid: number, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  for await (const chunk of child.stdout) printed += String(chunk);
  return printed;
}
