/** Tests that the page of promises quotes by name: each stands in the file that is named before it. */
import { posix } from 'node:path';

const page = 'GUARANTEES.md';
/** A link; a file of tests that was linked before; the name of a test; the end of a cell, behind which nothing is named yet. */
const mention = /\[[^\]]*\]\(([^)\s#]+)[^)\s]*\)|\b([\w-]+\.test\.ts)\b|"([^"\n]+)"|\|/g;

export const guarantees = {
  name: 'guarantees',
  reason: `a promise in ${page} is worth as much as its test: quote titles as they are, with … for what is left out`,
  *check(sources) {
    const promises = sources.find(({ path }) => path === page);
    if (promises === undefined) return;
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const linked = new Map();
    let file;
    for (const { 0: found, 1: link, 2: name, 3: quoted, index } of promises.text.matchAll(mention)) {
      const place = { path: page, line: promises.lineAt(index) };
      if (link !== undefined) {
        file = byPath.get(link);
        linked.set(posix.basename(link), file);
        if (file === undefined && /\.\w+$/.test(link)) yield { ...place, message: `${link} is not there` };
      } else if (name !== undefined) {
        file = linked.get(name);
        if (file === undefined) yield { ...place, message: `${name} was not linked before` };
      } else if (found === '|') file = undefined;
      else if (file?.path.endsWith('.test.ts') && !hasTest(file, quoted, byPath))
        yield { ...place, message: `${file.path} has no test "${quoted}"` };
    }
  },
};

/** Whether all that is quoted stands in the file, or in one beside it from which its tests come. */
function hasTest(file, quoted, byPath) {
  const beside = file
    .imports()
    .filter(({ name }) => name.startsWith('.'))
    .map(({ name }) => byPath.get(posix.join(posix.dirname(file.path), name)));
  const text = [file, ...beside].map((source) => source?.text.replaceAll("\\'", "'")).join('\n');
  return quoted
    .split('…')
    .every((piece) => text.includes(piece.trim()) || piece.split(': ').every((part) => text.includes(part.trim())));
}
