import { MessageChannel } from 'node:worker_threads';
import { MemoryStore, type Store, StoreError } from '@tidemark/stores';
import {
  type FromStore,
  portLine,
  RemoteStore,
  StoreServer,
  storeThread,
  type ToStore,
} from '@tidemark/stores/internal';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';
import { realFolders } from '../real-folder.ts';

const freshFolder = realFolders();

/** A line to a store that is served in this thread; `die` ends it as the death of a thread does. */
function lineTo(open: () => Promise<Store>): {
  line: ReturnType<typeof portLine<ToStore, FromStore>>;
  die: () => void;
} {
  const { port1, port2 } = new MessageChannel();
  void StoreServer.run(open, portLine<FromStore, ToStore>(port2));
  return { line: portLine<ToStore, FromStore>(port1), die: () => port2.close() };
}

describe('a store behind a line', () => {
  test.each(
    storeConformance(async () => RemoteStore.open(() => lineTo(async () => new MemoryStore('remote')).line)).map(
      ({ name, run }) => [name, run] as const,
    ),
  )('%s', (_, run) => run());
});

describe('a store in the I/O thread', () => {
  test.each(
    storeConformance(async () => {
      const folder = freshFolder();
      return RemoteStore.open(() => storeThread(folder));
    }).map(({ name, run }) => [name, run] as const),
  )('%s', (_, run) => run());

  test('does not keep the process alive, nor end before an answer', async () => {
    const { runText } = await import('../../../checkpoint/test/support/child.ts');
    const folder = JSON.stringify(freshFolder());
    const { status, stdout } = await runText(`
      import { RemoteStore, storeThread } from '@tidemark/stores/internal';
      const store = await RemoteStore.open(() => storeThread(${folder}));
      await store.put('a/b', new Uint8Array([1, 2, 3]));
      console.log((await store.get('a/b')).length, await store.list(''));
    `);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "3 [ 'a/b' ]\n" });
  });

  test('says why it cannot be opened', async () => {
    await expect(RemoteStore.open(() => storeThread('ftp://somewhere'))).rejects.toMatchObject({
      code: 'STORE_BAD_URL',
      kind: 'fatal',
    });
  });
});

/** A store whose calls wait until they are let go. */
class WaitingStore extends MemoryStore {
  readonly waiting: (() => void)[] = [];

  override async get(name: string): Promise<Uint8Array> {
    await this.#wait();
    return super.get(name);
  }

  override async delete(name: string): Promise<void> {
    await this.#wait();
    return super.delete(name);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => void this.waiting.push(resolve));
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(setImmediate);
};

describe('when the thread of a store dies', () => {
  test('what was asked may be asked again, what was changed is not known, and the next call opens it anew', async () => {
    const store = new WaitingStore('waiting');
    await store.put('a/1', new Uint8Array([1]));
    const dies: (() => void)[] = [];
    const remote = await RemoteStore.open(() => {
      const { line, die } = lineTo(async () => store);
      dies.push(die);
      return line;
    });
    const outcomes = [remote.get('a/1'), remote.delete('a/1')].map((call) => call.catch((error: unknown) => error));
    await until(() => store.waiting.length === 2);
    dies[0]();
    const [asked, changed] = await Promise.all(outcomes);
    expect(asked).toMatchObject({ kind: 'retry', code: 'STORE_IO' });
    expect(changed).toMatchObject({ kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' });
    expect(asked).toBeInstanceOf(StoreError);
    expect(await remote.list('')).toEqual(['a/1']);
    expect(dies).toHaveLength(2);
    await remote.close();
  });

  test('a streamed body is not asked for more', async () => {
    const { line, die } = lineTo(async () => new MemoryStore('streamed'));
    const remote = await RemoteStore.open(() => line);
    let made = 0;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (; ; made++) {
        if (made === 10) die();
        yield new Uint8Array(10);
      }
    };
    await expect(remote.put('a/1', body())).rejects.toMatchObject({ kind: 'lost' });
    const then = made;
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(made - then).toBeLessThanOrEqual(1);
  });
});

describe('what not every store can tell', () => {
  test('is told through the line where the store tells it: when an object was stored, what the opening has asked for', async () => {
    const traffic = { requests: { PutObject: 2 }, bytesSent: 10, bytesReceived: 20 };
    const storedAt = async (name: string) => {
      if (name === 'there') return 5_000;
      throw new StoreError('absent', 'STORE_ABSENT', name);
    };
    const store = Object.assign(new MemoryStore('tells'), { storedAt, traffic: () => traffic });
    const dies: (() => void)[] = [];
    const remote = await RemoteStore.open(() => {
      const { line, die } = lineTo(async () => store);
      dies.push(die);
      return line;
    });
    expect(remote.traffic()).toEqual(traffic);
    expect(await remote.storedAt?.('there')).toBe(5_000);
    await expect(Promise.resolve(remote.storedAt?.('missing'))).rejects.toMatchObject({
      kind: 'absent',
      code: 'STORE_ABSENT',
    });
    // It changes nothing, so when the thread dies it may simply be asked again; the new one has opened the store once more.
    store.storedAt = () => new Promise<never>(() => dies[0]());
    await expect(Promise.resolve(remote.storedAt?.('there'))).rejects.toMatchObject({
      kind: 'retry',
      code: 'STORE_IO',
    });
    await remote.list('');
    expect(remote.traffic().requests).toEqual({ PutObject: 4 });
    await remote.close();
  });

  test('is not there where the store does not tell it', async () => {
    const remote = await RemoteStore.open(() => lineTo(async () => new MemoryStore('silent')).line);
    expect(remote.storedAt).toBeUndefined();
    await remote.close();
  });
});

test('a body that comes faster than it is taken waits', async () => {
  let taken = 0;
  const store = new MemoryStore('slow');
  store.put = async (_name, body) => {
    for await (const _ of body as AsyncIterable<Uint8Array>) {
      taken++;
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    }
  };
  const remote = await RemoteStore.open(() => lineTo(async () => store).line);
  let [made, most] = [0, 0];
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (; made < 50; made++) {
      most = Math.max(most, made - taken);
      yield new Uint8Array(10);
    }
  };
  await remote.put('a/1', body());
  expect([made, taken]).toEqual([50, 50]);
  // The window, and one that is made while the store takes one.
  expect(most).toBeLessThanOrEqual(6);
  await remote.close();
});
