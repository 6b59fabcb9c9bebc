import { type FileSystem, openFolderStoreOn, STALE_TEMP_MS } from '@tidemark/stores/internal';
import { expect, test } from 'vitest';
import { bytesOf, partsOn, textOf } from './disk-parts.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { errno, SimulatedDisk } from './simulated-disk.ts';

async function warmStore() {
  const disk = new FaultyFileSystem(new SimulatedDisk());
  const store = await openFolderStoreOn('/data', partsOn(disk));
  await store.putIfAbsent('log/1', bytesOf('warm'));
  disk.calls.length = 0;
  return { disk, store };
}

test('a put into a known folder is seven calls and two fsyncs, in this order', async () => {
  const { disk, store } = await warmStore();
  await store.putIfAbsent('log/2', bytesOf('record'));
  expect(disk.calls).toEqual([
    'open /data/log',
    'create /data/tmp/t4.part',
    'write /data/tmp/t4.part',
    'sync /data/tmp/t4.part',
    'close /data/tmp/t4.part',
    'link /data/log/2',
    'unlink /data/tmp/t4.part',
    'sync /data/log',
    'close /data/log',
  ]);
});

test('replace moves the whole file over the name and syncs the folder', async () => {
  const { disk, store } = await warmStore();
  await store.replace('log/1', bytesOf('new'));
  expect(disk.calls.filter((call) => /rename|sync|link /.test(call))).toEqual([
    'sync /data/tmp/t4.part',
    'rename /data/log/1',
    'unlink /data/tmp/t4.part',
    'sync /data/log',
  ]);
});

test('D1: each new folder is named on the disk before anything is put into it', async () => {
  const { disk, store } = await warmStore();
  await store.put('job/a/b', bytesOf('x'));
  expect(disk.calls.filter((call) => /makeFolder|sync|link /.test(call)).slice(0, 5)).toEqual([
    'makeFolder /data/job',
    'sync /data',
    'makeFolder /data/job/a',
    'sync /data/job',
    'sync /data/tmp/t4.part',
  ]);
});

test('opening makes each missing parent durable, then proves that links work, before it answers', async () => {
  const disk = new FaultyFileSystem(new SimulatedDisk());
  await openFolderStoreOn('/a/b', partsOn(disk));
  const proof = disk.calls.filter((call) => /sync|link |makeFolder .*tmp/.test(call));
  expect(proof).toEqual([
    'sync /',
    'sync /a',
    'makeFolder /a/b/tmp',
    'sync /a/b/tmp/t1.part',
    'link /a/b/tmp/t2.part',
    'link /a/b/tmp/t2.part',
    'sync /a/b/tmp',
    'unlink /a/b/tmp/t1.part',
    'unlink /a/b/tmp/t2.part',
  ]);
});

test('S3: a link whose reply was lost and whose repetition found our own link is ours', async () => {
  const disk = new SimulatedDisk();
  const lossy: FileSystem = withLink(disk, async (from, to) => {
    await disk.link(from, to);
    await disk.link(from, to);
  });
  const store = await openFolderStoreOn('/data', partsOn(lossyAfterOpening(disk, lossy)));
  expect(await store.putIfAbsent('log/1', bytesOf('mine'))).toBe('stored');
  expect(textOf(await store.get('log/1'))).toBe('mine');
});

test('S3: when not even the link count can be asked the outcome is lost, and reading back settles it', async () => {
  const disk = new SimulatedDisk();
  const lossy: FileSystem = {
    ...withLink(disk, async (from, to) => {
      await disk.link(from, to);
      throw errno('ETIMEDOUT', to);
    }),
    stat: async (path) => Promise.reject(errno('ETIMEDOUT', path)),
  };
  const store = await openFolderStoreOn('/data', partsOn(lossyAfterOpening(disk, lossy)));
  await expect(store.putIfAbsent('log/1', bytesOf('mine'))).rejects.toMatchObject({
    kind: 'lost',
    code: 'STORE_OUTCOME_UNKNOWN',
    message: expect.stringMatching(/\/data\/log\/1.*ETIMEDOUT.*read it back/),
  });
  expect(textOf(await store.get('log/1'))).toBe('mine');
  const after = await openFolderStoreOn(
    '/data',
    partsOn(
      disk.afterPowerCut(() => false),
      'later',
    ),
  );
  expect(textOf(await after.get('log/1'))).toBe('mine');
});

test('D2: after an fsync of a folder failed nobody can take a visible object for a durable one', async () => {
  const disk = new SimulatedDisk();
  const store = await openFolderStoreOn('/data', partsOn(failingFolderSync(disk, '/data/log')));
  await store.put('part/1', bytesOf('elsewhere'));
  await expect(store.putIfAbsent('log/1', bytesOf('record'))).rejects.toMatchObject({
    kind: 'lost',
    code: 'STORE_OUTCOME_UNKNOWN',
    message: expect.stringMatching(/EIO/),
  });
  const broken = {
    kind: 'fatal',
    code: 'STORE_IO',
    message: expect.stringMatching(/fsync of the folder \/data\/log failed earlier.*restart/),
  };
  await expect(store.get('log/1')).rejects.toMatchObject(broken);
  await expect(store.putIfAbsent('log/1', bytesOf('record'))).rejects.toMatchObject(broken);
  await expect(store.put('log/2', bytesOf('next'))).rejects.toMatchObject(broken);
  await store.put('part/2', bytesOf('elsewhere'));
  expect(await store.list('part/')).toEqual(['part/1', 'part/2']);
});

test('a folder in the place of an object is no rival: it is named as what it is', async () => {
  const { store } = await warmStore();
  await expect(store.putIfAbsent('log', bytesOf('x'))).rejects.toMatchObject({
    code: 'STORE_BAD_NAME',
    message: expect.stringMatching(/is a folder/),
  });
  await expect(store.put('log', bytesOf('x'))).rejects.toMatchObject({ code: 'STORE_BAD_NAME' });
  await expect(store.replace('log', bytesOf('x'))).rejects.toMatchObject({ code: 'STORE_BAD_NAME' });
  await expect(store.get('log')).rejects.toMatchObject({ code: 'STORE_ABSENT' });
  await expect(store.put('log/1/2', bytesOf('x'))).rejects.toMatchObject({ code: 'STORE_NOT_A_FOLDER' });
});

test('a folder that somebody removed is made again by the next call, the root never', async () => {
  const disk = new SimulatedDisk();
  let isGone: (path: string) => boolean = () => false;
  const holed: FileSystem = {
    ...methodsOf(disk),
    create: async (path) => (isGone(path) ? Promise.reject(errno('ENOENT', path)) : disk.create(path)),
    makeFolder: async (path) => (isGone(path) ? Promise.reject(errno('ENOENT', path)) : disk.makeFolder(path)),
  };
  const store = await openFolderStoreOn('/data', partsOn(holed));
  await store.put('log/1', bytesOf('x'));
  isGone = () => true;
  const gone = { kind: 'retry', code: 'STORE_IO', message: expect.stringMatching(/is gone \(ENOENT\).*still mounted/) };
  await expect(store.put('log/2', bytesOf('x'))).rejects.toMatchObject(gone);
  await expect(store.put('log/2', bytesOf('x'))).rejects.toMatchObject(gone);
  isGone = () => false;
  await store.put('log/2', bytesOf('x'));
});

test('stale temp files go at an opening, by the clock of the disk; young and foreign ones stay', async () => {
  const disk = new SimulatedDisk();
  const first = await openFolderStoreOn('/data', partsOn(disk));
  await first.put('log/1', bytesOf('x'));
  for (const name of ['old.part', 'foreign.txt']) await (await disk.create(`/data/tmp/${name}`)).close();
  disk.nowMs = STALE_TEMP_MS;
  await (await disk.create('/data/tmp/young.part')).close();
  disk.nowMs = STALE_TEMP_MS + 1;
  await openFolderStoreOn('/data', partsOn(disk, 'later'));
  const left = (await disk.readFolder('/data/tmp')).map(({ name }) => name).sort();
  expect(left).toEqual(['foreign.txt', 'young.part']);
  expect(await first.list('')).toEqual(['log/1']);
});

test('a put whose temp file was taken away fails and publishes nothing', async () => {
  const { disk, store } = await warmStore();
  async function* body() {
    yield bytesOf('half');
    await disk.unlink('/data/tmp/t4.part');
    yield bytesOf('rest');
  }
  // Not even the link count can be asked any more, so the answer is the careful one.
  await expect(store.put('log/2', body())).rejects.toMatchObject({ kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' });
  await expect(store.get('log/2')).rejects.toMatchObject({ code: 'STORE_ABSENT' });
  expect(await store.list('')).toEqual(['log/1']);
});

test('a file system whose links overwrite is refused at the opening', async () => {
  const disk = new SimulatedDisk();
  const overwriting = withLink(disk, async (from, to) => {
    await disk.unlink(to).catch(() => undefined);
    await disk.link(from, to);
  });
  await expect(openFolderStoreOn('/data', partsOn(overwriting))).rejects.toMatchObject({
    kind: 'fatal',
    message: expect.stringMatching(/two owners could both win/),
  });
});

test.each(['EPERM', 'ENOTSUP'])(
  'a file system without hard links (%s) is refused at the opening, with the reason',
  async (code) => {
    const disk = withLink(new SimulatedDisk(), async (_from, to) => Promise.reject(errno(code, to)));
    await expect(openFolderStoreOn('/data', partsOn(disk))).rejects.toMatchObject({
      message: expect.stringMatching(/hard link/),
    });
  },
);

test('a file that shrinks while it is read is corrupt, never short', async () => {
  const disk = new SimulatedDisk();
  const shrinking: FileSystem = {
    ...methodsOf(disk),
    open: async (path) => {
      const file = await disk.open(path);
      return { ...file, stat: async () => ({ ...(await file.stat()), sizeBytes: 100 }) };
    },
  };
  const store = await openFolderStoreOn('/data', partsOn(shrinking));
  await store.put('log/1', bytesOf('ten bytes.'));
  await expect(store.get('log/1')).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringMatching(/expected 100 bytes, got 10/),
  });
});

function methodsOf(disk: FileSystem): FileSystem {
  return {
    create: (path) => disk.create(path),
    open: (path) => disk.open(path),
    makeFolder: (path) => disk.makeFolder(path),
    readFolder: (path) => disk.readFolder(path),
    stat: (path) => disk.stat(path),
    link: (from, to) => disk.link(from, to),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    networkKind: (path) => disk.networkKind(path),
  };
}

function withLink(disk: FileSystem, link: FileSystem['link']): FileSystem {
  return { ...methodsOf(disk), link };
}

/** Loses nothing under `/data/tmp`, where the opening makes its probe. */
function lossyAfterOpening(disk: FileSystem, lossy: FileSystem): FileSystem {
  return withLink({ ...methodsOf(lossy) }, (from, to) =>
    to.startsWith('/data/tmp/') ? disk.link(from, to) : lossy.link(from, to),
  );
}

function failingFolderSync(disk: FileSystem, folder: string): FileSystem {
  return {
    ...methodsOf(disk),
    open: async (path) => {
      const file = await disk.open(path);
      return path === folder ? { ...file, sync: async () => Promise.reject(errno('EIO', path)) } : file;
    },
  };
}
