import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { readRunFlags } from '../../src/cli/run-flags.ts';
import { runReal } from './fixtures/fake-tidemark.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidemark-args-')));
const job = join(folder, 'job.ts');
writeFileSync(job, '');
afterAll(() => rmSync(folder, { recursive: true }));

describe('the command line', () => {
  it('reads every flag', () => {
    const argv =
      `run job.ts --input a b --input c --output out --store ./cp --workers 4 --schedule 250ms --rate 1e6 --key origin
      --bad-rows file:bad.txt --drop old older --drop oldest --rename a=b c=d --from 0 --accept-duplicates --inline --json --quiet --verbose`.split(
        /\s+/,
      );
    const parsed = parseCommandLine(argv, '1.0.0');
    if (parsed.kind !== 'run') throw new Error('not read');
    expect(parsed.file).toBe('job.ts');
    expect(readRunFlags(parsed.flags)).toEqual({
      errors: [],
      options: {
        input: ['a', 'b', 'c'],
        output: 'out',
        store: './cp',
        workers: 4,
        schedule: '250ms',
        rate: 1e6,
        key: 'origin',
        badRows: 'file:bad.txt',
        drop: ['old', 'older', 'oldest'],
        rename: { a: 'b', c: 'd' },
        from: 0,
        acceptDuplicates: true,
        inline: true,
      },
    });
  });

  it.each([
    ['--wait', 'wait'],
    ['--take-over', 'take-over'],
  ])('reads %s', (flag, ifRunning) => {
    const parsed = parseCommandLine(['run', 'job.ts', flag], '1.0.0');
    if (parsed.kind !== 'run') throw new Error('not read');
    expect(readRunFlags(parsed.flags)).toEqual({ options: { ifRunning }, errors: [] });
  });

  it('gives the engine no key that nobody typed', () => {
    expect(readRunFlags({})).toEqual({ options: {}, errors: [] });
  });

  it.each([
    [{ workers: '0' }, '--workers 0: expected a whole number from 1 to 256; leave it out to use every core.'],
    [{ workers: '2.5' }, /^--workers 2.5: expected/],
    [{ workers: '' }, /^--workers '': expected/],
    [{ workers: '0x10' }, /^--workers 0x10: expected/],
    [{ rate: '-1' }, /^--rate -1: expected rows a second/],
    [{ rate: 'fast' }, /^--rate fast: expected/],
    [{ from: '-1' }, /^--from -1: expected the position of a checkpoint/],
    [{ badRows: 'sotp' }, '--bad-rows sotp: expected stop, skip, or file:DIR to set them aside in a folder.'],
    [{ badRows: 'file:' }, /^--bad-rows file:: expected/],
    [{ store: ' ' }, /^--store '': expected/],
    [{ fresh: true, from: '3' }, /^--fresh and --from contradict/],
    [{ rename: ['a'] }, '--rename a: expected OLD=NEW, names of actors.'],
    [{ rename: ['a=b=c'] }, /^--rename a=b=c: expected/],
    [{ rename: ['a=b', 'a=c'] }, /^--rename names a twice/],
    [{ drop: [''] }, /^--drop '': expected/],
    [{ wait: true, takeOver: true }, /^--wait and --take-over contradict/],
  ] as const)('refuses %j', (flags, message) => {
    const { errors } = readRunFlags(flags);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
  });
});

describe('the tidemark command', { timeout: 20_000 }, () => {
  it('shows its version and its help', async () => {
    expect(await runReal(['--version'])).toMatchObject({ status: 0, stdout: '0.1.0\n', stderr: '' });
    const help = await runReal(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching('tidemark run job.ts') });
    const runHelp = await runReal(['run', '--help']);
    expect(runHelp).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching('--bad-rows') });
    expect(runHelp.stdout.split('\n').length).toBeLessThan(70);
  });

  it.each([
    [
      ['run', job, '--wrokers', '2'],
      /^tidemark: USAGE: unknown option '--wrokers' \(Did you mean --workers\?\)\nSee: tidemark run --help\n$/,
    ],
    [['rum', job], /^tidemark: USAGE: unknown command 'rum' \(Did you mean run\?\)\n/],
    [[job], /To run a job: tidemark run .*job\.ts\n$/],
    [['run'], /^tidemark: USAGE: missing required argument 'FILE'\n/],
    [['run', '--input', 'a.csv', job], /FILE comes first/],
    [['run', job, 'b.ts'], /^tidemark: USAGE: too many arguments/],
    [[], /^tidemark: USAGE: there is no command\nUsage: tidemark/],
  ])('refuses %j with 2', async (args, message) => {
    expect(await runReal(args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('says of a missing file where it looked, and everything else that is wrong', async () => {
    const { status, stderr } = await runReal(['run', 'jbo.ts', '--workers', '0', '--rate', '-1'], folder);
    expect(status).toBe(2);
    expect(stderr.split('\n')).toEqual([
      `tidemark: USAGE: jbo.ts: there is no such file (looked for ${folder}/jbo.ts, in ${folder}). Give the path of the file that holds the job.`,
      expect.stringMatching('--workers 0'),
      expect.stringMatching('--rate -1'),
      'See: tidemark run --help',
      '',
    ]);
  });

  it('knows a near file and a folder', async () => {
    expect((await runReal(['run', 'job.js'], folder)).stderr).toMatch('Did you mean job.ts?');
    expect(await runReal(['run', folder])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching('this is a folder'),
    });
  });
});
