import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { readReading } from '../../../src/cli/reading/flags.ts';

function read(line: string): unknown {
  const parsed = parseCommandLine(line.split(/\s+/), '1.0.0');
  if (parsed.kind !== 'reading') return parsed;
  const result = readReading(parsed.typed);
  return 'command' in result ? result.command : result.errors;
}

const common = { store: 'cp', job: null, json: false, verbose: false };

describe('a command that looks at a store', () => {
  it.each([
    ['checkpoints --store cp', { kind: 'checkpoints', ...common }],
    [
      'checkpoints --store cp --job a --json --verbose',
      { kind: 'checkpoints', ...common, job: 'a', json: true, verbose: true },
    ],
    ['show --store cp', { kind: 'show', ...common, position: null }],
    ['show 7 --store cp', { kind: 'show', ...common, position: 7 }],
    ['verify --store cp 7', { kind: 'verify', ...common, position: 7 }],
    ['diff 5 7 --store cp --limit 0', { kind: 'diff', ...common, before: 5, after: 7, limit: 0 }],
    [
      'plan job.ts --store cp --from 7',
      { kind: 'plan', ...common, file: 'job.ts', position: 7, mapping: { drop: [], rename: {} } },
    ],
    [
      'plan job.ts --store cp --drop a b --rename c=d',
      { kind: 'plan', ...common, file: 'job.ts', position: null, mapping: { drop: ['a', 'b'], rename: { c: 'd' } } },
    ],
    ['copy cp other', { kind: 'copy', ...common, to: 'other', position: null }],
    ['copy cp other 7 --json', { kind: 'copy', ...common, json: true, to: 'other', position: 7 }],
    ['inspect --store cp', { kind: 'inspect', ...common, position: null, actor: null, limit: 100 }],
    [
      'inspect 7 --store cp --actor a/b/c',
      { kind: 'inspect', ...common, position: 7, actor: { type: 'a', key: 'b/c' }, limit: 100 },
    ],
    [
      'inspect 7 --store cp --actor a/',
      { kind: 'inspect', ...common, position: 7, actor: { type: 'a', key: '' }, limit: 100 },
    ],
    [
      'inspect 7 --store cp --job-key a/b',
      { kind: 'inspect', ...common, position: 7, actor: { type: 'job', key: 'a/b' }, limit: 100 },
    ],
  ])('%s', (line, command) => {
    expect(read(line)).toEqual(command);
  });

  it.each([
    ['show 0 --store cp', [/^0: expected the position of a checkpoint/]],
    ['show x --store cp', [/^x: expected the position/]],
    ['diff 1.5 -- -2 --store', { kind: 'wrong' }],
    [
      'show',
      { kind: 'wrong', error: "required option '--store <URL>' not specified", advice: 'See: tidemark show --help' },
    ],
    ['diff 5 --store cp', { kind: 'wrong', error: "missing required argument 'M'" }],
    ['inspect 1 --store cp --actor account', [/^--actor account: expected TYPE\/KEY/]],
    ['inspect 1 --store cp --actor a/b --job-key c', [/^--actor and --job-key/]],
    ['inspect x --store cp --limit -1', [/^--limit -1: /, /^x: /]],
  ])('%s is refused', (line, expected) => {
    const found = read(line);
    if (Array.isArray(expected)) expect(found).toEqual(expected.map((text) => expect.stringMatching(text)));
    else expect(found).toMatchObject(expected);
  });
});
