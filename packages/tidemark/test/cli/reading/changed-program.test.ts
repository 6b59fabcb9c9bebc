import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeValue, unpackMessages } from '@tidemark/actors/internal';
import { type PlanRow, readCheckpoint, readLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runReal } from '../fixtures/fake-tidemark.ts';
import { json } from './stores.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const AFTER = fixture('changed-2.mjs');
const EUROS = 6 * (100 + 1);

let folder: string;
/** What the first program left, killed, with money on its way. */
let left: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-changed-'));
  left = join(folder, 'left');
  await life(left, 'changed-1', {}, 4);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copy(): string {
  const store = join(folder, `copy-${copies++}`);
  cpSync(left, store, { recursive: true });
  return store;
}

// oxlint-disable-next-line no-explicit-any -- JSON as a script sees it
async function life(store: string, program: string, options: object, checkpoints = 2, env = {}): Promise<any> {
  const args = [fixture('changed-life.mjs'), store, program, String(checkpoints), JSON.stringify(options)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  await once(child, 'close');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** All money in the newest checkpoint, what is on its way included, and the kinds of actors that have something there. */
async function newest(location: string): Promise<{ total: number; moving: number; types: string[]; versions: object }> {
  const store = await openStoreForReading(location);
  const { record, parts } = await readCheckpoint(store, { job: 'main', position: null });
  const contents = parts.map((part) => {
    if (!part.ok) throw part.error;
    return part.content;
  });
  const units = contents.flatMap((content) => content.units);
  const messages = contents
    .flatMap(({ mail, channels, outboxes }) => [...mail, ...channels, ...outboxes])
    .flatMap((frame) => unpackMessages(frame));
  const states = units.filter(({ type, table }) => type === 'account' && table === '');
  const held = states.map(({ value }) => decodeValue(value) as { amount?: number; cents?: number });
  const moving = messages.filter(({ handler }) => handler !== 'saw').map(({ args }) => args[0] as number);
  await store.close();
  return {
    total: sum(held.map(({ amount, cents }) => amount ?? cents ?? Number.NaN)) + sum(moving),
    moving: moving.length,
    types: [...new Set([...units, ...messages].map(({ type }) => type))].sort(),
    versions: record.definitions,
  };
}

async function logOf(location: string): Promise<string[]> {
  const store = await openStoreForReading(location);
  const { lines } = await readLog(store, 'main');
  await store.close();
  return lines.map((line) => line.kind);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const mapping = { drop: ['witness'], rename: { 'old-desk': 'desk' } };
const flags = ['--drop', 'witness', '--rename', 'old-desk=desk'];

describe('a program that was changed', () => {
  it('goes on with everything in its new form, messages on their way included, and not a cent is lost', async () => {
    expect(await newest(left)).toMatchObject({ total: EUROS, versions: { account: 1 } });
    const store = copy();
    const [plan, term] = await life(store, 'changed-2', mapping);
    expect(plan.rows.map(({ type, outcome }: PlanRow) => [type, outcome])).toEqual([
      ['account', 'migrated'],
      ['old-desk', 'migrated'],
      ['witness', 'dropped'],
    ]);
    expect(plan.message).toMatch(
      /^Checkpoint \d+ is changed for this program: 'account' migrated from version 1 to 2 \(24 units, \d+ messages?\); 'old-desk' is now 'desk' from version 1 to 2 \(6 units, \d+ messages?, 6 refs\); 'witness' dropped \(1 unit, \d+ messages?\)$/,
    );
    expect(term).toMatchObject({ kind: 'term', from: plan.position });
    const after = await newest(store);
    expect(after).toMatchObject({ total: EUROS * 100, types: ['account', 'desk'] });
    expect(after.versions).toEqual({ account: 2, auditor: 1, desk: 2 });
    expect(after.moving).toBeGreaterThan(0);
    // The same once more, with the same options: there is nothing left to change, and nothing to tell.
    const [again, ...others] = await life(store, 'changed-2', mapping);
    expect(again.kind).toBe('term');
    expect(others).toEqual([]);
    expect((await newest(store)).total).toBe(EUROS * 100);
  });

  it('is not given up by a kill between its start and its first checkpoint', async () => {
    const store = copy();
    await life(store, 'changed-2', mapping, 0);
    const [plan] = await life(store, 'changed-2', mapping);
    expect(plan.kind).toBe('plan');
    expect((await newest(store)).total).toBe(EUROS * 100);
  });

  it.each([
    ['STATE_UNCLAIMED', {}, "state of 'old-desk', 'witness'"],
    ['STATE_UNCLAIMED', { drop: ['witness'] }, "state of 'old-desk', which"],
    ['MAPPING_INVALID', { ...mapping, drop: ['account'] }, "this program defines 'account'"],
    ['MAPPING_INVALID', { ...mapping, rename: { 'old-desk': 'bureau' } }, "defines no actor 'bureau'"],
  ])('%s with %j: nothing was started, nothing was changed', async (code, options, text) => {
    const store = copy();
    const before = await logOf(store);
    const refused = await life(store, 'changed-2', options);
    expect(refused).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(await logOf(store)).toEqual(before);
  });

  it('MIGRATION_FAILED names actor and reason, and the former program still goes on', async () => {
    const store = copy();
    const before = await logOf(store);
    const refused = await life(store, 'changed-2', mapping, 1, { MIGRATION_THROWS: '3' });
    expect(refused).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/^account\/3, from version 1 to 2: this one is too old\. Nothing was started/),
    });
    expect(await logOf(store)).toEqual(before);
    await life(store, 'changed-1', {});
    expect((await newest(store)).total).toBe(EUROS);
  });

  it('CHECKPOINT_INCOMPATIBLE: the former program does not go on from what the later one wrote', async () => {
    const store = copy();
    await life(store, 'changed-2', mapping);
    const refused = await life(store, 'changed-1', { rename: { desk: 'old-desk' } });
    expect(refused).toMatchObject({
      code: 'CHECKPOINT_INCOMPATIBLE',
      message: expect.stringMatching(/version 2; this program defines version 1\. A program of an earlier version/),
    });
  });
});

describe('tidemark plan', () => {
  it('shows what is migrated, renamed, dropped and new, and starts nothing', async () => {
    const store = copy();
    const before = await logOf(store);
    const { status, stdout, stderr } = await runReal(['plan', AFTER, '--store', store, ...flags]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^account +v1 +v2 +24 +\d+ +migrated$/m);
    expect(stdout).toMatch(/^auditor +v1 +0 +0 +new$/m);
    expect(stdout).toMatch(/^old-desk +v1 +v2 +6 +\d+ +migrated, as desk, 6 refs$/m);
    expect(stdout).toMatch(/^witness +v1 +1 +\d+ +dropped$/m);
    expect(stdout).toMatch(/\nA start goes on from it\.\n$/);
    const plan = await json(['plan', AFTER, '--store', store, ...flags]);
    expect(plan).toMatchObject({ code: null, refusals: [] });
    expect(plan.rows.find(({ type }: PlanRow) => type === 'old-desk')).toMatchObject({ to: 'desk', units: 6, refs: 6 });
    expect(await logOf(store)).toEqual(before);
  });

  it('ends with 5 and every reason where a start would be refused', async () => {
    const { status, stdout, stderr } = await runReal(['plan', AFTER, '--store', left]);
    expect(status).toBe(5);
    expect(stderr).toMatch(/^STATE_UNCLAIMED: .*'old-desk', 'witness'.*--rename old-desk=NEW .* or --drop old-desk/m);
    expect(stdout).toMatch(/^witness +v1 +1 +\d+ +UNCLAIMED$/m);
    expect(stdout).toMatch(/\nA start is refused\.\n$/);
  });

  it('ends with 2 for names that cannot be meant', async () => {
    const args = ['plan', AFTER, '--store', left, '--drop', 'account', 'witness', '--rename', 'old-desk=bureau'];
    const { status, stderr } = await runReal(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^MAPPING_INVALID: --drop account: /m);
    expect(stderr).toMatch(/^MAPPING_INVALID: --rename old-desk=bureau: /m);
    const wrong = await runReal(['plan', AFTER, '--store', left, '--rename', 'old-desk']);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringMatching(/--rename old-desk: expected OLD=NEW/) });
  });
});
