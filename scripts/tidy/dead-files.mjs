/** Files under `src` that no entry, test or proof reaches. */
import { posix } from 'node:path';

/** Every file in these is a program of its own. */
const programs = new Set(['examples', 'bench']);

export const deadFiles = {
  name: 'dead-files',
  reason: 'no entry and no test reaches it; delete it, or import it where it is needed',
  *check(sources, workspace) {
    const byPath = new Map(sources.filter((source) => source.isCode).map((source) => [source.path, source]));
    const reached = new Set();
    const waiting = [...byPath.values()].filter((source) => isEntry(source, workspace));
    while (waiting.length > 0) {
      const source = waiting.pop();
      if (reached.has(source.path)) continue;
      reached.add(source.path);
      for (const { name } of source.imports()) {
        const target = resolve(source.path, name, byPath);
        if (target !== undefined && !reached.has(target.path)) waiting.push(target);
      }
    }
    for (const source of byPath.values()) {
      if (source.area === 'src' && !reached.has(source.path))
        yield { path: source.path, line: 1, message: 'imported by nobody' };
    }
  },
};

function isEntry(source, workspace) {
  if (source.area !== 'src') return true;
  // Types of a package that has none: the compiler finds them, nobody imports them.
  if (source.path.endsWith('.d.ts')) return true;
  if (programs.has(source.package)) return true;
  if (/\/src\/(index|internal)\.ts$|-entry\.ts$/.test(source.path)) return true;
  const { folder, outputs } = workspace.find(({ name }) => name === source.package);
  return outputs.some((output) => sourceOf(posix.join(folder, output)) === source.path);
}

function resolve(from, name, byPath) {
  if (!name.startsWith('.')) return undefined;
  const path = sourceOf(posix.join(posix.dirname(from), name));
  return byPath.get(path) ?? byPath.get(path.replace(/\.js$/, '.ts')) ?? byPath.get(path.replace(/\.ts$/, '.tsx'));
}

/** The source that a built file comes from; any other path as it is. */
function sourceOf(path) {
  return path.replace(/^(packages\/[^/]+)\/dist\/(.*)\.js$/, '$1/src/$2.ts');
}
