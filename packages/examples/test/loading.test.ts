import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputRecords, root } from './support/cli.ts';
import { type Numbers, testPlace, writeNumbers } from './support/place.ts';

/** A folder as a user has it: with the package installed, and job files of his own. */
const place = testPlace('loading');
let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), 500, 10);
  for (const folder of ['modules', 'bare']) {
    await mkdir(place.at(folder, 'node_modules'), { recursive: true });
    await symlink(join(root, 'packages/tidemark'), place.at(folder, 'node_modules/tidemark'));
  }
  await writeFile(place.at('modules/package.json'), '{ "type": "module" }\n');
});

const plain = `import { Job } from 'tidemark';
export class Plain extends Job<string, number> {
  override process(key: string, value: number) {
    this.emit(key, value + 1);
  }
}
await Plain.main(import.meta);
`;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const script = plain.replaceAll(/<string, number>|: string|: number|override /g, '');

/** What Node cannot strip: an enum, and a property in the parameters of a constructor. */
const enums = `import { Job } from 'tidemark';
import { Step } from './steps.js';
export class Enums extends Job<string, number> {
  constructor(private readonly step = Step.Up) {
    super();
  }
  override process(key: string, value: number) {
    this.emit(key, value + this.step);
  }
}
await Enums.main(import.meta);
`;

async function expectRuns(folder: string, file: string): Promise<void> {
  const out = `out-${file}`;
  const args = [file, '--input', numbers.path, '--store', `store-${file}`, '--output', out, '--workers', '2'];
  const ended = await place.run(args, { cwd: place.at(folder) });
  expect(ended.stderr).toMatch(/^Finished: 500 rows in /m);
  expect(ended.status).toBe(0);
  expect(await outputRecords(place.at(folder, out))).toEqual(numbers.plusOne);
}

describe('a job in', () => {
  it('TypeScript runs as it is', async () => {
    await writeFile(place.at('modules/plain.ts'), plain);
    await expectRuns('modules', 'plain.ts');
  });

  it('TypeScript that only tsx can run, with an import of its own', async () => {
    await writeFile(place.at('modules/steps.ts'), 'export enum Step { Up = 1, Down = -1 }\n');
    await writeFile(place.at('modules/enums.ts'), enums);
    await expectRuns('modules', 'enums.ts');
  });

  it('JavaScript, with and without a package.json that says so', async () => {
    for (const [folder, file] of [
      ['modules', 'plain.js'],
      ['modules', 'plain.mjs'],
      ['bare', 'bare.mjs'],
    ] as const) {
      await writeFile(place.at(folder, file), script);
      await expectRuns(folder, file);
    }
  });

  it('a file that Node runs, without the command: to its end, with the options of its main', async () => {
    const options = { input: [numbers.path], store: 'store-alone', output: 'out-alone', workers: 2 };
    const main = `main(import.meta, ${JSON.stringify(options)})`;
    // Its workers run the file too; there, and where it is only imported, `main` gives nothing.
    const alone = script.replace('await Plain.main(import.meta)', `if (await Plain.${main}) console.log('ended')`);
    await writeFile(place.at('modules/alone.mjs'), alone);
    const { stdout } = await promisify(execFile)(process.execPath, ['alone.mjs'], { cwd: place.at('modules') });
    expect(stdout).toBe('ended\n');
    expect(await outputRecords(place.at('modules', 'out-alone'))).toEqual(numbers.plusOne);
  });

  it('a project that has another copy of the package than the command', async () => {
    const modules = place.at('copy', 'node_modules');
    for (const name of ['actors', 'stores', 'checkpoint', 'jobs', 'tidemark']) {
      const from = join(root, 'packages', name);
      const to = join(modules, name === 'tidemark' ? name : `@tidemark/${name}`);
      for (const part of ['dist', 'package.json']) await cp(join(from, part), join(to, part), { recursive: true });
      const { dependencies = {} } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as Manifest;
      for (const dependency of Object.keys(dependencies)) {
        if (dependency.startsWith('@tidemark/') || existsSync(join(modules, dependency))) continue;
        await symlink(await realpath(join(from, 'node_modules', dependency)), join(modules, dependency));
      }
    }
    await writeFile(place.at('copy/plain.mjs'), script);
    await expectRuns('copy', 'plain.mjs');
  });

  it('TypeScript beside no package.json runs, or says what to do', async () => {
    await writeFile(place.at('bare/bare.mts'), plain);
    await expectRuns('bare', 'bare.mts');
    await writeFile(place.at('bare/bare.ts'), plain);
    const args = ['bare.ts', '--input', numbers.path, '--store', 'store-ts', '--output', 'out-ts'];
    const ended = await place.run(args, { cwd: place.at('bare') });
    if (ended.status !== 0) {
      expect(ended.stderr).toMatch(
        /^tidemark: MODULE_FAILED: .*no package\.json above it says "type": "module"\. Add that line .* or name the file .*bare\.mts\.$/m,
      );
      expect(ended.status).toBe(2);
    }
  });

  it('TypeScript with a syntax error says where', async () => {
    await writeFile(place.at('modules/broken.ts'), plain.replace('value + 1', 'value +'));
    const ended = await place.run(['broken.ts', '--input', numbers.path], { cwd: place.at('modules') });
    expect(ended.stderr).toMatch(/^tidemark: MODULE_FAILED: .*broken\.ts/);
    expect(ended.stderr).toMatch(/broken\.ts:4:2\d|broken\.ts:4\b|Expression expected/);
    expect(ended.status).toBe(2);
  });
});
