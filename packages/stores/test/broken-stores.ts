import { MemoryStore, type Store, StoreError } from '@tidemark/stores';
import type { LossyStore } from '@tidemark/stores/conformance';

/** A store that breaks one rule on purpose, and the rule of the conformance suite that must notice. */
export interface BrokenStore {
  readonly fault: string;
  readonly noticedBy: string;
  readonly make: () => Store;
}

export const BROKEN_STORES: readonly BrokenStore[] = [
  broken('loses the last byte of what is put', 'S1: get gives back exactly', (store) => ({
    put: (name, body, options) => store.put(name, body instanceof Uint8Array ? body.subarray(0, -1) : body, options),
  })),
  broken('forgets empty objects', 'S1: an object may be empty', (store) => ({
    putIfAbsent: async (name, bytes, options) =>
      bytes.length === 0 ? 'stored' : store.putIfAbsent(name, bytes, options),
  })),
  broken('stores text instead of bytes', 'S1: every value of a byte', (store) => ({
    put: (name, body, options) =>
      store.put(name, body instanceof Uint8Array ? Buffer.from(Buffer.from(body).toString()) : body, options),
  })),
  broken('cuts objects off at 1 MB', 'S1: an object of 8 MB', (store) => ({
    putIfAbsent: (name, bytes, options) => store.putIfAbsent(name, bytes.subarray(0, 1_048_576), options),
  })),
  broken('stores the buffer behind a view', 'S1: only the part of a larger buffer', (store) => ({
    put: (name, body, options) =>
      store.put(name, body instanceof Uint8Array ? new Uint8Array(body.buffer) : body, options),
  })),
  broken('shows a streamed object while it grows', 'S1: nothing is seen of a streamed put before', (store) => ({
    put: (name, body, options) =>
      body instanceof Uint8Array
        ? store.put(name, body, options)
        : grow(store, name, body).catch(async (error) => {
            await store.delete(name);
            throw error;
          }),
  })),
  broken('leaves half an object when the body fails', 'S1: a streamed put whose body fails', (store) => ({
    put: (name, body, options) =>
      body instanceof Uint8Array ? store.put(name, body, options) : grow(store, name, body),
  })),
  broken("keeps the caller's array", "S1: the caller's array may change", (store) => {
    const kept = new Map<string, Uint8Array>();
    return {
      put: async (name, body, options) => {
        await store.put(name, body, options);
        if (body instanceof Uint8Array) kept.set(name, body);
      },
      get: async (name, options) => (options === undefined && kept.get(name)) || store.get(name, options),
    };
  }),
  broken('gives away the memory that a streamed Buffer is a part of', 'S1: a Buffer is as good', (store) => ({
    put: (name, body, options) => store.put(name, body instanceof Uint8Array ? body : givenAway(body), options),
  })),
  broken('put overwrites', 'S1: put never overwrites', (store) => ({
    put: async (name, body, options) => {
      await store.delete(name);
      await store.put(name, body, options);
    },
  })),
  broken('putIfAbsent overwrites', 'S3: putIfAbsent never overwrites', (store) => ({
    putIfAbsent: async (name, bytes, options) => {
      await store.replace(name, bytes, options);
      return 'stored';
    },
  })),
  broken('putIfAbsent looks first and writes later', 'S3: of 30 racers', (store) => ({
    putIfAbsent: async (name, bytes, options) => {
      if (await isThere(store, name)) return 'taken';
      await store.replace(name, bytes, options);
      return 'stored';
    },
  })),
  broken('put looks first and writes later', 'S3: of many puts', (store) => ({
    put: async (name, body, options) =>
      body instanceof Uint8Array && !(await isThere(store, name))
        ? store.replace(name, body, options)
        : store.put(name, body, options),
  })),
  broken('tells a time of what is not there', 'storedAt: ', () => ({ storedAt: async () => 1 })),
  broken('tells no time', 'storedAt: ', () => ({ storedAt: async () => Number.NaN })),
  broken('never gives a deleted name again', 'S3: a name is free again', (store) => {
    const used = new Set<string>();
    return {
      putIfAbsent: async (name, bytes, options) => (used.has(name) ? 'taken' : store.putIfAbsent(name, bytes, options)),
      delete: async (name, options) => {
        await store.delete(name, options);
        used.add(name);
      },
    };
  }),
  broken('lists what was there one listing ago', 'S4: a listing shows every put', (store) => {
    let last: readonly string[] = [];
    return {
      list: async (prefix, options) => {
        const shown = last;
        last = await store.list(prefix, options);
        return shown;
      },
    };
  }),
  broken('lists in the order of a dictionary', 'S4: names come in ascending order', (store) => ({
    list: async (prefix, options) => [...(await store.list(prefix, options))].sort((a, b) => a.localeCompare(b, 'en')),
  })),
  broken('takes a prefix for a folder', 'list: a prefix is any beginning', (store) => ({
    list: (prefix, options) => store.list(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`, options),
  })),
  broken('lists the name of after again', 'list: after leaves out', (store) => ({
    list: async (prefix, { after = '', ...options } = {}) =>
      (await store.list(prefix, options)).filter((name) => name >= after),
  })),
  broken('has an error for a folder that is not there', 'list: nothing is an empty listing', (store) => ({
    list: async (prefix, options) => {
      const names = await store.list(prefix, options);
      if (names.length === 0) throw new StoreError('absent', 'STORE_ABSENT', `no folder ${prefix}`);
      return names;
    },
  })),
  broken('gives no bytes for what is not there', 'S5: what is not there is absent', (store) => ({
    get: (name, options) => instead(store.get(name, options), 'STORE_ABSENT', () => new Uint8Array(0)),
  })),
  broken('calls what is not there an I/O error', 'S5: what is not there is absent', (store) => ({
    get: (name, options) =>
      instead(store.get(name, options), 'STORE_ABSENT', () => {
        throw new StoreError('retry', 'STORE_IO', `cannot read ${name}`);
      }),
  })),
  broken('reads a range from its offset to the end', 'get: a range is exactly those bytes', (store) => ({
    get: (name, { length: _, ...options } = {}) => store.get(name, options),
  })),
  broken('counts offsets in 16 bits', 'get: a range in the middle of 8 MB', (store) => ({
    get: (name, options) => store.get(name, { ...options, offset: (options?.offset ?? 0) % 65_536 }),
  })),
  broken('gives as many bytes as there are', 'get: more bytes than the caller takes', (store) => ({
    get: async (name, { bytesMax: _bytesMax, ...options } = {}) => store.get(name, options),
  })),
  broken('gives a view of a larger buffer', 'get: the array owns its memory', (store) => ({
    get: async (name, options) => {
      const bytes = await store.get(name, options);
      return Uint8Array.of(...bytes.subarray(0, 1_000), 0).subarray(0, bytes.length);
    },
  })),
  broken('replace keeps the old object', 'replace: the last writer wins', (store) => ({
    replace: async (name, bytes, options) => void (await store.putIfAbsent(name, bytes, options)),
  })),
  broken('replace deletes and then puts', 'replace: of many at once', (store) => ({
    replace: async (name, bytes, options) => {
      await store.delete(name, options);
      await store.put(name, bytes, options);
    },
  })),
  broken('delete has an error for what is not there', 'delete: removes that object alone', (store) => ({
    delete: async (name, options) => {
      await store.get(name, options);
      await store.delete(name, options);
    },
  })),
  broken('delete takes a name for a prefix', 'delete: removes that object alone', (store) => ({
    delete: async (name, options) => {
      await store.delete(name, options);
      for (const found of await store.list(name)) await store.delete(found, options);
    },
  })),
  broken('folds the case of names', 'names: odd ones work', (store) => ({
    putIfAbsent: (name, bytes, options) => store.putIfAbsent(name.toLowerCase(), bytes, options),
  })),
  broken('mends bad names instead of refusing them', 'names: forbidden ones are refused', (store) => ({
    delete: (name, options) => store.delete(name.replace('../', ''), options),
  })),
  broken('deletes what an aborted call asked for', 'signal: an aborted call does nothing', (store) => ({
    delete: (name) => store.delete(name),
  })),
  broken('looks at a signal only before a streamed put', 'signal: a streamed put that is aborted', (store) => ({
    put: (name, body, options) => store.put(name, body, options?.signal?.aborted === true ? options : {}),
  })),
  broken('has no URL', 'url: says where the store is', () => ({ url: 'somewhere' })),
  broken('cannot be closed twice', 'close: twice is as good as once', (store) => {
    let isClosed = false;
    return {
      close: async () => {
        if (isClosed) throw new Error('it is closed');
        isClosed = true;
        await store.close();
      },
    };
  }),
];

/** A store that loses replies and makes the wrong thing of it, and the rule that must notice. */
export interface BrokenLossyStore {
  readonly fault: string;
  readonly noticedBy: string;
  readonly make: () => LossyStore;
}

export const BROKEN_LOSSY_STORES: readonly BrokenLossyStore[] = [
  {
    fault: 'repeats what had no reply, and takes its own object for that of another',
    noticedBy: 'lost reply: putIfAbsent',
    make: () => lossy((store, name, bytes) => store.putIfAbsent(name, bytes)),
  },
  {
    fault: 'says that nothing was done',
    noticedBy: 'lost reply: put never',
    make: () =>
      lossy(async () => {
        throw new StoreError('retry', 'STORE_UNREACHABLE', 'no reply');
      }),
  },
  {
    fault: 'says that all racers won',
    noticedBy: 'lost reply: of racers',
    make: () => {
      const { store, loseReply } = lossy(async () => 'stored');
      let isLossy = false;
      return {
        store: withChanges(store, () => ({
          putIfAbsent: async (name, bytes) => {
            const answer = await store.putIfAbsent(name, bytes);
            return isLossy ? 'stored' : answer;
          },
        })),
        loseReply: () => {
          isLossy = true;
          loseReply();
        },
      };
    },
  },
  {
    fault: 'does not delete what it says it deleted',
    noticedBy: 'lost reply: replace and delete',
    make: () => {
      const { store, loseReply } = lossy(async () => 'stored');
      return { store: withChanges(store, () => ({ delete: async () => undefined })), loseReply };
    },
  },
];

/** A memory store that loses a reply when it is told to; `without` says what it makes of it. */
export function lossy(
  without: (store: Store, name: string, bytes: Uint8Array) => Promise<'stored' | 'taken'>,
): LossyStore {
  const memory = new MemoryStore();
  let isLost = false;
  const afterwards = async (name: string, bytes: Uint8Array): Promise<'stored' | 'taken' | undefined> => {
    if (!isLost) return undefined;
    isLost = false;
    return without(memory, name, bytes);
  };
  const store = withChanges(memory, () => ({
    put: async (name, body, options) => {
      await memory.put(name, body, options);
      if ((await afterwards(name, new Uint8Array(0))) === 'taken')
        throw new StoreError('fatal', 'STORE_NAME_TAKEN', name);
    },
    putIfAbsent: async (name, bytes, options) => {
      const answer = await memory.putIfAbsent(name, bytes, options);
      return (await afterwards(name, bytes)) ?? answer;
    },
    replace: async (name, bytes, options) => {
      await memory.replace(name, bytes, options);
      await afterwards(name, bytes);
    },
    delete: async (name, options) => {
      await memory.delete(name, options);
      await afterwards(name, new Uint8Array(0));
    },
  }));
  return { store, loseReply: () => (isLost = true) };
}

function broken(fault: string, noticedBy: string, breaking: (store: Store) => Partial<Store>): BrokenStore {
  return { fault, noticedBy, make: () => withChanges(new MemoryStore(), breaking) };
}

function withChanges(store: Store, breaking: (store: Store) => Partial<Store>): Store {
  return {
    url: store.url,
    supports: store.supports,
    put: (name, body, options) => store.put(name, body, options),
    putIfAbsent: (name, bytes, options) => store.putIfAbsent(name, bytes, options),
    replace: (name, bytes, options) => store.replace(name, bytes, options),
    get: (name, options) => store.get(name, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (name, options) => store.delete(name, options),
    close: () => store.close(),
    ...breaking(store),
  };
}

/** Stores each chunk of a body as it comes. */
async function grow(store: Store, name: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  if ((await store.putIfAbsent(name, new Uint8Array(0))) === 'taken') return store.put(name, body);
  for await (const chunk of body) await store.replace(name, Buffer.concat([await store.get(name), chunk]));
}

async function isThere(store: Store, name: string): Promise<boolean> {
  return (await store.list(name)).includes(name);
}

async function instead<T>(call: Promise<T>, code: string, answer: () => T): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreError && error.code === code) return answer();
    throw error;
  }
}

/** Of a Buffer `slice` is no copy. */
async function* givenAway(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const bytes = chunk.slice();
    yield structuredClone(bytes, { transfer: [bytes.buffer] });
  }
}
