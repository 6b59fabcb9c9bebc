import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runReal } from '../fixtures/fake-tidemark.ts';
import {
  addOne,
  ADD_ONE,
  bank,
  copyOf,
  flights,
  FLIGHTS,
  flightsArgs,
  folder,
  json,
  makeStores,
  positions,
  REAL,
  record,
} from './stores.ts';

vi.setConfig({ testTimeout: 60_000 });
makeStores();

const COLUMNS = 80;

function allObjects(store: string): string[] {
  return readdirSync(store, { recursive: true, encoding: 'utf8' }).sort();
}

/** Lines that a terminal of 80 columns would break; what names a place may be as long as the place. */
function tooLong(text: string): string[] {
  return text.split('\n').filter((line) => line.length > COLUMNS && !line.includes(folder));
}

describe.concurrent('tidemark pin and unpin', () => {
  it('keep a checkpoint, and every command shows it', async () => {
    const store = copyOf(bank);
    const { stdout, status } = await runReal(['pin', '4', '--label', 'before-upgrade', '--store', store]);
    expect(stdout).toBe("Pinned checkpoint 4 of job main as 'before-upgrade'. It stays until tidemark unpin 4.\n");
    expect(status).toBe(0);
    const listed = (await runReal(['checkpoints', '--store', store])).stdout;
    expect(listed).toMatch(/^4 .* pinned 'before-upgrade'$/m);
    expect(tooLong(listed)).toEqual([]);
    expect((await runReal(['show', '4', '--store', store])).stdout).toMatch(
      /^stays +pinned 'before-upgrade' since 20/m,
    );
    const { lines } = await json(['checkpoints', '--store', store]);
    const pins = lines
      .map(({ pin = null }: { pin?: object | null }) => pin)
      .filter((pin: object | null) => pin !== null);
    expect(pins).toEqual([{ by: 'person', label: 'before-upgrade', createdAt: expect.any(String) }]);
    await runReal(['gc', '--keep', '2', '--store', store]);
    expect(positions(store, 'main')).toContain(4);
    expect(positions(store, 'main')).not.toContain(5);
    expect(await json(['verify', '--store', store])).toMatchObject({ whole: true, pins: 1, findings: [] });
    expect(await json(['diff', '4', '10', '--store', store])).toMatchObject({ before: 4, after: 10, damage: [] });
    expect((await runReal(['inspect', '4', '--store', store])).status).toBe(0);
    expect((await runReal(['copy', store, join(folder, 'copied'), '4'])).stdout).toContain('verified it there');
    expect(await json(['unpin', '4', '--store', store])).toEqual({ job: 'main', position: 4, was: 'pin' });
    await runReal(['gc', '--keep', '2', '--store', store]);
    expect(positions(store, 'main')).not.toContain(4);
  });

  it('say what is wrong, and change nothing', async () => {
    const store = copyOf(bank);
    await runReal(['pin', '3', '--label', 'x', '--store', store]);
    const before = allObjects(store);
    const wrong = async (status: number, message: RegExp, ...args: string[]): Promise<void> => {
      const ended = await runReal([...args, '--store', store]);
      expect(ended).toMatchObject({ status, stdout: '' });
      expect(ended.stderr).toMatch(message);
    };
    await wrong(2, /^tidemark: PIN_TAKEN: .* is pinned already as 'x'/, 'pin', '3');
    await wrong(2, /^tidemark: PIN_TAKEN: label 'x' belongs to checkpoint 3/, 'pin', '4', '--label', 'x');
    await wrong(2, /^tidemark: LABEL_INVALID: label "9"/, 'pin', '4', '--label', '9');
    await wrong(2, /^tidemark: USAGE: --label ''/, 'pin', '4', '--label', '');
    await wrong(2, /^tidemark: USAGE: x: expected the position/, 'pin', 'x');
    await wrong(2, /^tidemark: USAGE: missing required argument 'N'\nSee: tidemark pin --help/, 'pin');
    await wrong(2, /^tidemark: CHECKPOINT_UNKNOWN: there is no checkpoint at position 99 .* 2 to 10/, 'pin', '99');
    await wrong(2, /^tidemark: PIN_UNKNOWN: checkpoint 4 .* pinned: 3/, 'unpin', '4');
    unlinkSync(record(store, 'main', 5));
    await wrong(4, /^tidemark: CHECKPOINT_DAMAGED: main\/log\/0+5 is missing/, 'pin', '5');
    expect(allObjects(store)).toEqual(before.filter((name) => !name.endsWith('log/00000000000000000005')));
    const nowhere = join(folder, 'nowhere');
    for (const command of [['pin', '3'], ['savepoint'], ['gc']]) {
      expect(await runReal([...command, '--store', nowhere])).toMatchObject({ status: 3, stdout: '' });
    }
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe.concurrent('tidemark gc', () => {
  it('lists what would go and why the rest stays, then does just that', async () => {
    const store = copyOf(bank);
    await runReal(['pin', '3', '--store', store]);
    const before = allObjects(store);
    const args = ['gc', '--keep', '2', '--keep-daily', '2', '--store', store];
    const { stdout, status } = await runReal([...args, '--dry-run']);
    expect(status).toBe(0);
    expect(allObjects(store)).toEqual(before);
    expect(tooLong(stdout)).toEqual([]);
    expect(stdout).toMatch(/^main: would remove 5 checkpoints, 2 terms \([\d.]+ kB\); 3 checkpoints stay\.$/m);
    expect(stdout).toContain(
      'The rule: the newest 2, one of each of 2 days (UTC), and what is pinned stay\n(as this command says).',
    );
    expect(stdout).toMatch(/^10 .* newest, daily$/m);
    expect(stdout).toMatch(/^3 .* pinned$/m);
    expect(stdout).toMatch(/^8 .* term$/m);
    const planned = await json([...args, '--dry-run']);
    expect(planned).toMatchObject({ job: 'main', dryRun: true, policyOf: 'caller', boundary: 9, damage: [] });
    const done = await json(args);
    expect(done).toEqual({ ...planned, dryRun: false });
    expect(positions(store, 'main').sort((a, b) => a - b)).toEqual([3, 9, 10, 11]);
    expect(await json(['verify', '--store', store])).toMatchObject({ whole: true });
    expect((await runReal(args)).stdout).toMatch(/^main: nothing to remove; 3 checkpoints stay\.$/m);
  });

  it('refuses a rule that is none', async () => {
    const { status, stderr } = await runReal([
      'gc',
      '--keep',
      '1',
      '--keep-hourly',
      '-1',
      '--keep-timezone',
      'Mars/Base',
      '--store',
      bank,
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--keep 1: expected .* from 2\.$/m);
    expect(stderr).toMatch(/--keep-hourly -1: expected .* from 0\.$/m);
    expect(stderr).toMatch(/--keep-timezone Mars\/Base: expected the name of a time zone/m);
  });
});

describe.concurrent('tidemark savepoint', () => {
  it('asks the job that runs, while gc leaves that one alone', async () => {
    const store = join(folder, 'running');
    const child = spawn(process.execPath, [REAL, ...flightsArgs(store, 500), '--keep', '3'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'exit');
    while (positions(store, 'flights').length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    const newest = Math.max(...positions(store, 'flights'));
    const { stdout, status } = await runReal(['savepoint', '--label', 'now', '--store', store]);
    expect(status).toBe(0);
    const position = Number(/^Savepoint 'now' is checkpoint (\d+) of job flights:$/m.exec(stdout)?.[1]);
    expect(position).toBeGreaterThan(newest);
    expect(stdout).toMatch(/^the running job took it just now\.$/m);
    const busy = await runReal(['gc', '--store', store]);
    expect(busy).toMatchObject({ status: 6, stdout: '' });
    expect(busy.stderr).toMatch(/^tidemark: ALREADY_RUNNING: .*--dry-run lists them\.$/m);
    expect(await json(['gc', '--dry-run', '--store', store])).toMatchObject({ policyOf: 'job', policy: { last: 3 } });
    child.kill('SIGINT');
    await ended;
    const rest = await json(['savepoint', '--store', store]);
    expect(rest).toMatchObject({ how: 'newest', label: `savepoint-${rest.position}` });
    await runReal(['gc', '--keep', '2', '--store', store]);
    expect(await json(['verify', '--store', store])).toMatchObject({ whole: true, pins: 2 });
    expect(positions(store, 'flights')).toContain(position);
  });

  it('pins the one that is named', async () => {
    const store = copyOf(bank);
    const made = await json(['savepoint', '4', '--store', store]);
    expect(made).toMatchObject({ job: 'main', position: 4, label: 'savepoint-4', how: 'chosen' });
  });
});

describe.concurrent('tidemark restore', () => {
  it('shows the plan, then goes on from there', async () => {
    const store = copyOf(flights);
    const [from = 0] = positions(store, 'flights')
      .sort((a, b) => a - b)
      .slice(1);
    const { status, stdout } = await runReal(['restore', FLIGHTS, '--from', String(from), '--store', store]);
    expect(status).toBe(0);
    expect(stdout.indexOf(`Checkpoint ${from} of job flights`)).toBe(0);
    expect(stdout.indexOf('A start goes on from it.')).toBeLessThan(stdout.indexOf('60,000 rows'));
    const { lines } = await json(['checkpoints', '--store', store]);
    expect(lines.find(({ kind }: { kind: string }) => kind === 'term')).toMatchObject({ from });
  });

  it('with --json prints the plan as the first line', async () => {
    const store = copyOf(flights);
    const [from = 0] = positions(store, 'flights')
      .sort((a, b) => a - b)
      .slice(1);
    const args = ['restore', FLIGHTS, '--from', String(from), '--store', store, '--json', '--quiet'];
    const [plan, ...events] = (await runReal(args)).stdout.trimEnd().split('\n');
    expect(JSON.parse(plan)).toMatchObject({ job: 'flights', position: from, code: null });
    expect(events.map((event) => (JSON.parse(event) as { event: string }).event)).toContain('finished');
  });

  it('starts nothing when it is refused', async () => {
    const store = copyOf(addOne);
    const before = allObjects(store);
    const output = ['--output', join(folder, 'out'), '--store', store];
    const unknown = await runReal(['restore', ADD_ONE, '--from', '77', ...output]);
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr.match(/CHECKPOINT_UNKNOWN/g)).toHaveLength(1);
    const usage = await runReal(['restore', ADD_ONE, '--store', store]);
    expect(usage.stderr).toMatch(/required option '--from <N>' not specified\nSee: tidemark restore --help/);
    expect(allObjects(store)).toEqual(before);
  });
});
