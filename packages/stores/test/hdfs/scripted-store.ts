import { inspect } from 'node:util';
import { openHdfsStore, type Store, StoreError } from '@tidemark/stores';
import { afterEach, beforeEach, expect } from 'vitest';
import { bytesOf } from '../disk-parts.ts';
import type { Call } from './scripted-rows.ts';
import { ScriptedHdfs } from './scripted-hdfs.ts';

const DEADLINE_MS = 1_000;
/** Far past any deadline that a call is given. */
export const HANGS_MS = 15_000;
export const STALL_MS = 500;

/** A scripted server and a store on it, new for each test; one object, `there`, is in it. */
export interface ScriptedStore {
  hdfs: ScriptedHdfs;
  store: Store;
  readonly call: (call: Call, signal?: AbortSignal) => Promise<unknown>;
}

export function scriptedStore(): ScriptedStore {
  const world = { call } as ScriptedStore;

  beforeEach(async () => {
    world.hdfs = await ScriptedHdfs.start();
    world.store = await openHdfsStore(world.hdfs.location, { stallMs: STALL_MS });
    await world.store.put('there', bytesOf('0123456789'));
  });

  afterEach(async () => {
    world.hdfs.script = () => 'usual';
    await world.store.close();
    await world.hdfs.stop();
    expect(world.hdfs.breaches).toEqual([]);
  });

  return world;

  function call(name: Call, signal?: AbortSignal): Promise<unknown> {
    const { store } = world;
    const options = signal === undefined ? { deadlineMs: DEADLINE_MS } : { signal };
    switch (name) {
      case 'put':
        return store.put('new/put', bytesOf('bytes'), options);
      case 'stream':
        return store.put('new/stream', chunks(), options);
      case 'putIfAbsent':
        return store.putIfAbsent('new/absent', bytesOf('bytes'), options);
      case 'replace':
        return store.replace('new/replaced', bytesOf('bytes'), options);
      case 'get':
        return store.get('there', { ...options, bytesMax: 1_000 });
      case 'list':
        return store.list('', options);
      case 'delete':
        return store.delete('there', options);
    }
  }
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield bytesOf('by');
  yield bytesOf('tes');
}

export async function rejection(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (answer) => new Error(`it resolved with ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof StoreError) return error;
  throw error;
}

/** All that a log could show of an error. */
export function everything(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)} ${String(error)}`;
}
