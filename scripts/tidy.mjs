/**
 * `npm run tidy`: our own rules, checked on the text of the repository. Fast, needs nothing installed.
 * A rule that a review gave twice belongs here. The rules and the allow-list are in tidy/rules.mjs.
 */
import { readRepository } from './tidy/source.mjs';
import { rules } from './tidy/rules.mjs';
import { root, workspacePackages } from './setup.mjs';

const sources = readRepository(root);
const workspace = workspacePackages().map(({ name, manifest }) => ({
  name,
  folder: `packages/${name}`,
  outputs: builtFiles([manifest.exports, manifest.bin, manifest.main, manifest.worker]),
}));

let failures = 0;
for (const rule of rules) {
  const findings = [...rule.check(sources, workspace)];
  if (findings.length === 0) continue;
  process.stdout.write(`${rule.name}: ${rule.reason}\n`);
  for (const { path, line, message, warns } of findings) {
    process.stdout.write(`  ${path}:${line}  ${warns === true ? 'warning: ' : ''}${message}\n`);
    if (warns !== true) failures += 1;
  }
}
process.stdout.write(`${sources.length} files, ${rules.length} rules, ${failures} findings\n`);
process.exitCode = failures > 0 ? 1 : 0;

/** All file names inside the values of `exports` and `bin`, however deep. */
function builtFiles(value) {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(builtFiles);
}
