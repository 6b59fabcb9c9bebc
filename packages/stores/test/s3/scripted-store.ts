import { openS3Store, type S3OpenOptions, type Store, StoreError } from '@tidemark/stores';
import { RETRY_POLICY } from '@tidemark/stores/internal';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { giveCredentials } from './real-s3.ts';
import { ScriptedS3 } from './scripted-s3.ts';

/** What must never be seen in an error: the secrets of the scripted server's client. */
export const CANARIES = {
  AWS_ACCESS_KEY_ID: 'AKIACANARYCANARY1234',
  AWS_SECRET_ACCESS_KEY: 'secret/canary+secret/canary+secretcanary',
  AWS_SESSION_TOKEN: `token/canary+${'Zx9'.repeat(60)}==`,
  AWS_REGION: 'us-east-1',
};

/** Few repetitions without waits. Nothing here ends by its time, however busy the machine is. */
export const QUICK: S3OpenOptions = {
  limits: { callMs: 60_000, idleMs: 60_000 },
  retryPolicy: { ...RETRY_POLICY, attemptsMax: 3, firstMs: 1, longestMs: 2 },
};

/** Short times, so that what hangs is soon over. */
export const HASTY: S3OpenOptions = { ...QUICK, limits: { callMs: 2_400, idleMs: 600 } };

/** A scripted server for a test file, and a store in it for each test, whose requests so far are forgotten. */
export function scriptedStore() {
  let s3: ScriptedS3;
  const stores: Store[] = [];
  const open = async (options: S3OpenOptions): Promise<Store> => {
    const store = await openS3Store(locationAt(s3), options);
    stores.unshift(store);
    s3.seen.length = 0;
    return store;
  };
  beforeAll(async () => {
    giveCredentials(CANARIES);
    s3 = await ScriptedS3.start();
  });
  afterAll(() => s3.stop());
  beforeEach(async () => {
    await open(QUICK);
  });
  afterEach(async () => {
    const { plansLeft } = s3;
    s3.reset();
    for (const store of stores.splice(0)) await store.close();
    expect(plansLeft, 'plans that no request has used up').toBe(0);
  });
  const store = (): Store => stores[0] ?? expect.unreachable('no store is open');
  return { s3: () => s3, store, openHasty: () => open(HASTY) };
}

export function locationAt(s3: ScriptedS3, more = ''): string {
  return `s3://bucket/prefix?endpoint=${s3.endpoint}&path-style=true${more}`;
}

/** The error of a call, which must be a `StoreError`. */
export async function failureOf(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (answer) => expect.unreachable(`the call answered ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof StoreError)) throw error;
  return error;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
