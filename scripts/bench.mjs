/** `npm run bench -- NAME ARGS`: one benchmark; without NAME the list of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { become, ensureBuilt, ensureInstalled, root, say } from './setup.mjs';

ensureInstalled();
await ensureBuilt();

const [name, ...args] = process.argv.slice(2);
const benchmarks = listBenchmarks();
if (name !== undefined && benchmarks.some((one) => one.name === name)) {
  await become(join(root, 'packages', 'bench', 'dist', `${name}.js`), args);
} else {
  if (name !== undefined) say(`There is no benchmark "${name}".`);
  say('npm run bench -- NAME [ARGS], where NAME is one of:');
  for (const { name: one, purpose } of benchmarks) say(`  ${one.padEnd(24)} ${purpose}`);
  process.exitCode = name === undefined ? 0 : 1;
}

/** Files directly in bench/src that no sibling imports; what a file's first comment says is its purpose. */
function listBenchmarks() {
  const folder = join(root, 'packages', 'bench', 'src');
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ name: file.slice(0, -'.ts'.length), text: readFileSync(join(folder, file), 'utf8') }));
  const imported = new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/(?:from|import|URL\()\s*\(?'\.\/([^']+)\.[tj]s'/g)].map((match) => match[1]),
    ),
  );
  return sources
    .filter(({ name: one }) => !imported.has(one) && existsSync(join(root, 'packages', 'bench', 'dist', `${one}.js`)))
    .map(({ name: one, text }) => ({
      name: one,
      purpose: /^(?:\/\*\*?|\/\/)\s*\*?\s*\n?\s*\*?\s*(.*?)(?:\s*\*\/)?$/m.exec(text)?.[1] ?? '',
    }));
}
