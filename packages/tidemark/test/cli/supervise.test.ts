import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SIGNAL_ECHO_MS } from '../../src/cli/limits.ts';
import { isAlive, Tidemark } from './fixtures/fake-tidemark.ts';
import { checkpoint, finished, forever, restored, started, startedAgain } from './fixtures/script.ts';

describe('tidemark run, as processes', { timeout: 20_000 }, () => {
  it('runs the job in a child with native msgpackr off, and ends with it', async () => {
    const tidemark = new Tidemark({ lives: [[started, finished]] }, ['--workers', '2', '--input', 'a', 'b']);
    expect(await tidemark.ended).toMatchObject({ status: 0 });
    const [life] = tidemark.lives;
    expect(life).toMatchObject({
      parent: tidemark.process.pid,
      native: 'true',
      options: { workers: 2, input: ['a', 'b'] },
    });
  });

  it('starts a killed child again, and says so in one line', async () => {
    const tidemark = new Tidemark({
      lives: [
        [started, { kill: 'SIGKILL' }],
        [startedAgain, restored, finished],
      ],
    });
    const { status, stderr } = await tidemark.ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(/^tidemark: the runtime was killed by SIGKILL; starting it again now .*$/m);
    expect(stderr).toMatch('Going on from checkpoint 17 (1,234,567 rows done)');
    expect(tidemark.lives).toHaveLength(2);
  });

  it('asks for a fresh beginning only until the run has started', async () => {
    const lives = [[{ kill: 'SIGKILL' }], [started, { kill: 'SIGKILL' }], [startedAgain, finished]] as const;
    const tidemark = new Tidemark({ lives }, ['--fresh', '--workers', '3']);
    expect(await tidemark.ended).toMatchObject({ status: 0 });
    expect(tidemark.lives.map((life) => life.options)).toEqual([
      { fresh: true, workers: 3 },
      { fresh: true, workers: 3 },
      { workers: 3 },
    ]);
  });

  it.each([
    ['--take-over', 'take-over', {}],
    ['--wait', 'wait', { ifRunning: 'wait' }],
  ])('%s, once the run has started: no restart takes over again', async (flag, ifRunning, later) => {
    const lives = [[{ kill: 'SIGKILL' }], [started, { kill: 'SIGKILL' }], [startedAgain, finished]] as const;
    const tidemark = new Tidemark({ lives }, [flag]);
    expect(await tidemark.ended).toMatchObject({ status: 0 });
    expect(tidemark.lives.map((life) => life.options)).toEqual([{ ifRunning }, { ifRunning }, later]);
  });

  it('ends with 3 for a store that is away at the start, without a restart', async () => {
    const tidemark = new Tidemark({ lives: [[{ throw: 'STORE_DENIED', message: '/cp cannot be written' }]] });
    expect(await tidemark.ended).toMatchObject({
      status: 3,
      stderr: 'tidemark: STORE_DENIED: /cp cannot be written\n',
    });
    expect(tidemark.lives).toHaveLength(1);
  });

  it.each([
    ['BAD_ROW', 2],
    ['CHECKPOINT_DAMAGED', 4],
    ['CHECKPOINT_INCOMPATIBLE', 5],
    ['FENCED', 6],
    ['ALREADY_RUNNING', 6],
  ])('ends after %s with %i, without a restart', async (code, status) => {
    const tidemark = new Tidemark({ lives: [[started, { throw: code }]] });
    expect(await tidemark.ended).toMatchObject({ status });
    expect(tidemark.lives).toHaveLength(1);
  });

  it('shows where the user’s code threw, and the stack of what nobody expected', async () => {
    const lives = [
      [{ throw: 'TURN_THREW', message: 'add-one threw', because: 'x is undefined' }],
      [{ throw: 'NONE' }],
      [finished],
    ] as const;
    const { stderr } = await new Tidemark({ lives }).ended;
    expect(stderr).toMatch(
      /^tidemark: TURN_THREW: add-one threw\n {2}because: TypeError: x is undefined \(at .*fake-engine.mjs:\d+:\d+\)+\n/,
    );
    expect(stderr).toMatch(/^tidemark: UNEXPECTED: as the script says\n {4}at .*fake-engine/m);
    expect(stderr).toMatch(/the runtime crashed \(TURN_THREW\); starting it again now/);
  });

  it('takes an unhandled rejection and process.exit(0) for crashes', async () => {
    const lives = [[{ unhandled: true }, forever], [{ exit: 0 }], [finished]] as const;
    const { status, stderr } = await new Tidemark({ lives }).ended;
    expect(status).toBe(0);
    expect(stderr).toMatch('UNHANDLED_REJECTION');
    expect(stderr).toMatch(/TypeError: nobody awaits me\n {4}at /);
    expect(stderr).toMatch('EXITED_EARLY');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('passes %s on: a last checkpoint, then %i', async (signal, status) => {
    const tidemark = new Tidemark({ lives: [[started, { rows: 5 }, checkpoint, forever]] }, ['--json']);
    await tidemark.until(/"checkpoint"/);
    tidemark.kill(signal);
    const ended = await tidemark.ended;
    expect(ended.status).toBe(status);
    expect(ended.stdout).toMatch(/"event":"stopped","position":4,"rows":5/);
    expect(tidemark.lives).toHaveLength(1);
  });

  it('stops once for a signal that the whole group gets, twice', async () => {
    const tidemark = new Tidemark({ lives: [[started, forever]] }, ['--json']);
    await tidemark.until(/"started"/);
    const child = tidemark.lives[0]?.pid ?? 0;
    for (let times = 0; times < 2; times++) {
      process.kill(child, 'SIGINT');
      tidemark.kill('SIGINT');
    }
    const { status, stdout } = await tidemark.ended;
    expect(status).toBe(130);
    expect(stdout.match(/"stopped"/g)).toHaveLength(1);
  });

  it('ends at once on a second signal, the child first', async () => {
    const tidemark = new Tidemark({ lives: [[started, forever]], stop: 'hang' }, ['--json']);
    await tidemark.until(/"started"/);
    tidemark.kill('SIGINT');
    await tidemark.until(/asked to stop/);
    await delay(SIGNAL_ECHO_MS + 100);
    tidemark.kill('SIGINT');
    expect(await tidemark.ended).toMatchObject({ status: 130 });
    expect(isAlive(tidemark.lives[0]?.pid ?? 0)).toBe(false);
  });

  it('says when the last checkpoint could not be taken', async () => {
    const tidemark = new Tidemark({ lives: [[started, forever]], stop: 'fail' }, ['--json']);
    await tidemark.until(/"started"/);
    tidemark.kill('SIGTERM');
    expect(await tidemark.ended).toMatchObject({
      status: 143,
      stderr:
        'tidemark: STORE_IO: the disk has gone\n' +
        'WARNING: The last checkpoint could not be taken; the same command goes on from the one before.\n',
    });
  });

  it('stops a run that has not started yet', async () => {
    const tidemark = new Tidemark({ lives: [[]], before: forever });
    await expect.poll(() => safeLives(tidemark), { timeout: 5_000 }).toBe(1);
    tidemark.kill('SIGTERM');
    expect(await tidemark.ended).toMatchObject({ status: 143 });
  });

  it('leaves no child behind when it is killed with -9', async () => {
    const tidemark = new Tidemark({ lives: [[started, forever]] }, ['--json']);
    await tidemark.until(/"started"/);
    const child = tidemark.lives[0]?.pid ?? 0;
    expect(isAlive(child)).toBe(true);
    tidemark.kill('SIGKILL');
    await expect.poll(() => isAlive(child), { timeout: 15_000, interval: 10 }).toBe(false);
  });

  it('gives up with 7 when restarts do not help', async () => {
    const tidemark = new Tidemark({ lives: [[{ throw: 'WORKER_LOST', message: 'worker 1 has gone' }]] }, ['--quiet']);
    const { status, stderr } = await tidemark.ended;
    expect(status).toBe(7);
    expect(tidemark.lives).toHaveLength(11);
    expect(stderr).not.toMatch('starting it again');
    expect(stderr).toMatch(/^tidemark: RESTARTS_SPENT: .*WORKER_LOST: worker 1 has gone\..*$/m);
  });
});

describe('tidemark run --inline', { timeout: 20_000 }, () => {
  it('runs the job in this process', async () => {
    const tidemark = new Tidemark({ lives: [[started, finished]] }, ['--inline']);
    expect(await tidemark.ended).toMatchObject({ status: 0 });
    expect(tidemark.lives[0]).toMatchObject({ pid: tidemark.process.pid, native: 'true', options: { inline: true } });
  });

  it('does not restart', async () => {
    const tidemark = new Tidemark({ lives: [[started, { throw: 'WORKER_LOST' }]] }, ['--inline']);
    expect(await tidemark.ended).toMatchObject({ status: 70 });
    expect(tidemark.lives).toHaveLength(1);
  });

  it('stops at a signal, and at once at a second', async () => {
    const soft = new Tidemark({ lives: [[started, forever]] }, ['--inline', '--json']);
    await soft.until(/"started"/);
    soft.kill('SIGTERM');
    expect(await soft.ended).toMatchObject({ status: 143 });
    const hard = new Tidemark({ lives: [[started, forever]], stop: 'hang' }, ['--inline', '--json']);
    await hard.until(/"started"/);
    hard.kill('SIGINT');
    await hard.until(/asked to stop/);
    await delay(SIGNAL_ECHO_MS + 100);
    hard.kill('SIGINT');
    expect(await hard.ended).toMatchObject({ status: 130 });
  });
});

function safeLives(tidemark: Tidemark): number {
  try {
    return tidemark.lives.length;
  } catch {
    return 0;
  }
}
