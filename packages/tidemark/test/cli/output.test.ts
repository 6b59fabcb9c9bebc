import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Tidemark } from './fixtures/fake-tidemark.ts';
import { checkpoint, finished, restored, started, startedAgain } from './fixtures/script.ts';

const TABLE = `airport  flights  mean
───────  ───────  ────
ORD      166,341  6.67

seen  3,000,000
`;

describe('what tidemark run prints', { timeout: 20_000 }, () => {
  it('is the table alone on stdout, and plain lines on stderr', async () => {
    const lives = [
      [startedAgain, restored, checkpoint, { rows: 2_000_000, bytesRead: 660 }, { wait: 2_300 }, finished],
    ] as const;
    const { stdout, stderr } = await new Tidemark({ lives }).ended;
    expect(stdout).toBe(TABLE);
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toBe('Going on from checkpoint 17 (1,234,567 rows done)');
    expect(lines[1]).toMatch(
      /^flights · 2,000,000 rows · 66 % · [\d.,]+(?: [kM])? rows\/s · checkpoint 3: 12 ms, 1\.2 MB$/,
    );
    expect(lines[2]).toMatch(/^Finished: 3,000,000 rows in [2-9]\.\d s$/);
    expect(lines).toHaveLength(3);
  });

  it('is nothing but the result with --quiet', async () => {
    const { stdout, stderr } = await new Tidemark({ lives: [[started, checkpoint, finished]] }, ['--quiet']).ended;
    expect(stdout).toBe(TABLE);
    expect(stderr).toBe('');
  });

  it('has warnings even with --quiet, and says a repeated failure once', async () => {
    const failed = {
      emit: { event: 'checkpoint-failed', cut: 4, code: 'STORE_FULL', message: 'no space in /cp' },
    } as const;
    const { stderr } = await new Tidemark({ lives: [[started, failed, failed, failed, finished]] }, ['--quiet']).ended;
    expect(stderr).toBe('WARNING: A checkpoint failed, and the job goes on: STORE_FULL: no space in /cp\n');
  });

  it('says once that an output waits, and that checkpoints are stored again', async () => {
    const waits = { emit: { event: 'warning', code: 'STORE_FULL', message: 'output 1 waits' } } as const;
    const failed = { emit: { event: 'checkpoint-failed', cut: 4, code: 'STORE_FULL', message: 'no space' } } as const;
    const { stderr } = await new Tidemark({ lives: [[startedAgain, waits, failed, waits, checkpoint, finished]] })
      .ended;
    const lines = stderr.trimEnd().split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'WARNING: STORE_FULL: output 1 waits',
      'WARNING: A checkpoint failed, and the job goes on: STORE_FULL: no space',
      'Checkpoints are stored again (checkpoint 3)',
    ]);
    expect(lines).toHaveLength(4);
  });

  it('with --json is each event as one line, with its time at the end', async () => {
    const { stdout, stderr } = await new Tidemark({ lives: [[started, checkpoint, finished]] }, ['--json']).ended;
    expect(stderr).toBe('');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.map(({ time: _time, ...event }) => ({ emit: event }))).toEqual([started, checkpoint, finished]);
    for (const event of events) {
      expect(Object.keys(event).at(-1)).toBe('time');
      expect(new Date(String(event.time)).toISOString()).toBe(event.time);
    }
  });

  it('says that the job has finished already', async () => {
    const already = {
      emit: {
        event: 'finished',
        position: 31,
        already: true,
        rows: 1,
        badRows: 0,
        result: { counters: {}, collected: null },
      },
    } as const;
    const { status, stdout, stderr } = await new Tidemark({ lives: [[already]] }).ended;
    expect(status).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toBe('This job has finished already (checkpoint 31). --fresh begins again.\n');
  });

  it('has no colours outside of a terminal, even in CI', async () => {
    const { stderr } = await new Tidemark({ lives: [[started, { throw: 'BAD_ROW' }]] }, [], {
      CI: 'true',
      FORCE_COLOR: '1',
    }).ended;
    expect(stderr).not.toContain('\u001B');
  });

  it('may go unread: the job goes on to its end', async () => {
    const many = Array.from({ length: 50 }, () => [checkpoint, { wait: 5 }] as const).flat();
    const tidemark = new Tidemark({ lives: [[started, ...many, finished]] }, ['--json']);
    await tidemark.until(/"started"/);
    tidemark.process.stdout?.destroy();
    const { status, stderr } = await tidemark.ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(/^WARNING: Nobody reads stdout any more \(.*EPIPE.*\); the job goes on\.\n$/);
    expect(tidemark.lives).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('on a terminal has one live line, which is gone at the end', async () => {
    const tidemark = new Tidemark({ lives: [[started, checkpoint, { rows: 1_234_567 }, { wait: 700 }, finished]] });
    await tidemark.ended;
    const shown = await onTerminal(['run', tidemark.jobFile]);
    expect(shown).toContain('\r\u001B[K\u001B[2mflights · 1,234,567 rows · 0 % · ');
    expect(shown).toContain('\r\u001B[KFinished: 3,000,000 rows in ');
    expect(await onTerminal(['run', tidemark.jobFile], { NO_COLOR: '1' })).not.toContain('\u001B[2m');
  });
});

/** Runs the fake command on a pseudo-terminal (`script` of util-linux) and answers all that it showed. */
async function onTerminal(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const fake = new URL('./fixtures/fake-tidemark.mjs', import.meta.url).pathname;
  const command = [process.execPath, fake, ...args].join(' ');
  const env = { ...process.env, TERM: 'xterm', ...environment };
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'], env });
  let shown = '';
  child.stdout.on('data', (data: Buffer) => (shown += data.toString()));
  await once(child, 'close');
  return shown;
}
