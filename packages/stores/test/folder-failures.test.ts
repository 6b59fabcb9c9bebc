import { type Store, StoreError } from '@tidemark/stores';
import { type FileSystem, nodeFileSystem, openFolderStoreOn } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';
import { bytesOf, coin, partsOn, textOf } from './disk-parts.ts';
import { type Fault, FaultyFileSystem } from './faulty-file-system.ts';
import { realFolders } from './real-folder.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const newFolder = realFolders();

/** What a store may say about each errno; a failed fsync of a folder may also leave the outcome unknown. */
const MEANINGS: Readonly<Record<string, readonly [code: string, kind: string]>> = {
  EIO: ['STORE_IO', 'retry'],
  ENOSPC: ['STORE_FULL', 'retry'],
  EDQUOT: ['STORE_FULL', 'retry'],
  EROFS: ['STORE_READ_ONLY', 'denied'],
  EACCES: ['STORE_DENIED', 'denied'],
  EPERM: ['STORE_DENIED', 'denied'],
  EMFILE: ['STORE_BUSY', 'retry'],
  ETIMEDOUT: ['STORE_IO', 'retry'],
};

/** Every name with the bodies that it may ever hold. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  'job/log/1': ['the first record'],
  'job/log/2': ['the second record'],
  'job/part/1': ['a part in three chunks'],
  'owner.json': ['{"counter":1}', '{"counter":2}'],
};

interface Outcome {
  /** Names whose call resolved as stored, with the body that must then be there. */
  readonly acked: Map<string, string>;
  readonly errors: unknown[];
}

/** One life of a store: each step runs, also after others failed. */
async function life(disk: FileSystem, root: string): Promise<Outcome & { readonly store: Store | undefined }> {
  const acked = new Map<string, string>();
  const errors: unknown[] = [];
  const attempt = async (work: () => Promise<void>) => work().catch((error: unknown) => void errors.push(error));
  const opened = await openFolderStoreOn(root, partsOn(disk)).catch((error: unknown) => void errors.push(error));
  if (opened === undefined) return { acked, errors, store: undefined };
  const ifAbsent = (name: string, body: string) =>
    attempt(async () => {
      expect(await opened.putIfAbsent(name, bytesOf(body))).toBe('stored');
      acked.set(name, body);
    });
  const replace = (name: string, body: string) =>
    attempt(async () => {
      acked.delete(name);
      await opened.replace(name, bytesOf(body));
      acked.set(name, body);
    });
  await ifAbsent('job/log/1', 'the first record');
  await attempt(async () => {
    await opened.put('job/part/1', threeChunks());
    acked.set('job/part/1', 'a part in three chunks');
  });
  await replace('owner.json', '{"counter":1}');
  await replace('owner.json', '{"counter":2}');
  await ifAbsent('job/log/2', 'the second record');
  await attempt(async () =>
    expect((await opened.list('job/')).length).toBeGreaterThanOrEqual(
      [...acked.keys()].filter((name) => name !== 'owner.json').length,
    ),
  );
  for (const name of acked.keys())
    await attempt(async () => expect(BODIES[name]).toContain(textOf(await opened.get(name))));
  return { acked, errors, store: opened };
}

async function* threeChunks() {
  yield bytesOf('a part ');
  yield bytesOf('in three ');
  yield bytesOf('chunks');
}

let checks = 0;

/** What must hold on the disk, whatever happened before. */
async function expectSound(disk: FileSystem, root: string, acked: ReadonlyMap<string, string>): Promise<void> {
  const store = await openFolderStoreOn(root, partsOn(disk, `check${++checks}-`));
  const names = await store.list('');
  for (const name of names) expect(BODIES[name], name).toContain(textOf(await store.get(name)));
  for (const [name, body] of acked) expect(textOf(await store.get(name)), name).toBe(body);
}

async function callsOfALife(): Promise<number> {
  const disk = new FaultyFileSystem(new SimulatedDisk());
  const { errors } = await life(disk, '/a/data');
  expect(errors).toEqual([]);
  return disk.calls.length;
}

async function* everyFault(how: Fault['how'], errnos: readonly string[]): AsyncGenerator<Fault> {
  const calls = await callsOfALife();
  for (const errno of errnos) for (let at = 1; at <= calls; at++) yield { at, errno, how };
}

function expectClassified(errors: readonly unknown[], fault: Fault): void {
  for (const error of errors) {
    expect(error).toBeInstanceOf(StoreError);
    const { kind, code, message, cause } = error as StoreError;
    const [expectedCode, expectedKind] = MEANINGS[fault.errno] ?? [];
    const isFolderSync = kind === 'lost' || /failed earlier/.test(message);
    if (!isFolderSync) expect([code, kind], message).toEqual([expectedCode, expectedKind]);
    else expect([`${expectedCode} fatal`, 'STORE_OUTCOME_UNKNOWN lost'], message).toContain(`${code} ${kind}`);
    expect(cause, 'the cause is kept').toMatchObject({ code: fault.errno });
    expect(message).toContain(fault.errno);
    expect(message, 'a path is named').toMatch(/ \/[\w.-]*/);
  }
}

/** D2: neither a temp file nor a folder of the store is asked for an fsync again after one failed. */
function expectNoSecondSync(disk: FaultyFileSystem, fault: Fault): void {
  const later = disk.calls.slice(fault.at);
  for (const call of disk.failed.filter((failed) => failed.startsWith('sync /a/data'))) {
    // The opening fails as a whole when its probe does; only a new opening may ask again.
    expect(later, call).not.toContain(call);
  }
}

describe.each(['not-done', 'reply-lost'] as const)('one call of the file system fails (%s)', (how) => {
  test('any call, any errno: classified, no false success, nothing partial, no handle or temp file left', async () => {
    let runs = 0;
    for await (const fault of everyFault(how, Object.keys(MEANINGS))) {
      const inner = new SimulatedDisk();
      const disk = new FaultyFileSystem(inner, fault);
      const { acked, errors, store } = await life(disk, '/a/data');
      runs++;
      const about = JSON.stringify({ ...fault, call: disk.failed });
      expectClassified(errors, fault);
      expectNoSecondSync(disk, fault);
      expect(disk.handlesOpen, about).toBe(0);
      // What a caller takes for stored, also by reading back what was lost, survives the worst power cut.
      for (const name of Object.keys(BODIES)) {
        const body = await store?.get(name).catch(() => undefined);
        if (body !== undefined && name !== 'owner.json') acked.set(name, textOf(body));
      }
      await expectSound(inner, '/a/data', acked);
      await expectSound(
        inner.afterPowerCut(() => false),
        '/a/data',
        acked,
      );
      const leftover = (await inner.readFolder('/a/data/tmp')).filter(
        () => !disk.failed.some((call) => call.startsWith('unlink')),
      );
      expect(leftover, about).toEqual([]);
    }
    expect(runs).toBeGreaterThan(500);
  });
});

test('the disk dies at any call, for good: classified, and what was acknowledged is there', async () => {
  for await (const fault of everyFault('dead', ['EIO', 'EROFS', 'ENOSPC'])) {
    const inner = new SimulatedDisk();
    const { acked, errors } = await life(new FaultyFileSystem(inner, fault), '/a/data');
    expectClassified(errors, fault);
    await expectSound(inner, '/a/data', acked);
  }
});

test('the power goes at any call: what was acknowledged is whole, and nothing partial has a name', async () => {
  let cuts = 0;
  for await (const fault of everyFault('dead', ['EIO'])) {
    const inner = new SimulatedDisk();
    const { acked } = await life(new FaultyFileSystem(inner, fault), '/a/data');
    await expectSound(
      inner.afterPowerCut(() => false),
      '/a/data',
      acked,
    );
    await expectSound(
      inner.afterPowerCut(() => true),
      '/a/data',
      acked,
    );
    for (let seed = 1; seed <= 20; seed++)
      await expectSound(inner.afterPowerCut(coin(seed * 7_919 + fault.at)), '/a/data', acked);
    cuts += 22;
  }
  expect(cuts).toBeGreaterThan(2_000);
});

describe('the checks above would notice', () => {
  test.each([
    ['a store that does not sync its files', { sync: 'part' }],
    ['a store that does not sync its folders', { sync: 'folder' }],
  ] as const)('%s', async (_what, { sync }) => {
    const inner = new SimulatedDisk();
    const { acked, errors } = await life(forgettingSyncs(inner, sync), '/a/data');
    expect(errors).toEqual([]);
    await expect(
      expectSound(
        inner.afterPowerCut(() => false),
        '/a/data',
        acked,
      ),
    ).rejects.toThrow();
  });
});

test('the same on the real disk: one failed call, and everything acknowledged is there', async () => {
  const counting = new FaultyFileSystem(nodeFileSystem);
  await life(counting, `${newFolder()}/a/data`);
  for (let at = 1; at <= counting.calls.length; at++) {
    const root = `${newFolder()}/a/data`;
    const fault: Fault = { at, errno: 'EIO', how: 'not-done' };
    const disk = new FaultyFileSystem(nodeFileSystem, fault);
    const { acked, errors } = await life(disk, root);
    expectClassified(errors, fault);
    expect(disk.handlesOpen).toBe(0);
    await expectSound(nodeFileSystem, root, acked);
  }
});

function forgettingSyncs(disk: SimulatedDisk, which: 'part' | 'folder'): FileSystem {
  const isForgotten = (path: string) => path.endsWith('.part') === (which === 'part');
  const opened = async (path: string, file: ReturnType<FileSystem['open']>) =>
    isForgotten(path) ? { ...(await file), sync: async () => undefined } : file;
  return {
    create: (path) => opened(path, disk.create(path)),
    open: (path) => opened(path, disk.open(path)),
    makeFolder: (path) => disk.makeFolder(path),
    readFolder: (path) => disk.readFolder(path),
    stat: (path) => disk.stat(path),
    link: (from, to) => disk.link(from, to),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    networkKind: () => disk.networkKind(),
  };
}
