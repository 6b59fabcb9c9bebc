/** Which package may import which: architecture, in one table. A package that is not in it has no right to exist yet. */
const mayImport = {
  actors: [],
  stores: [],
  checkpoint: ['actors', 'stores'],
  jobs: ['checkpoint', 'actors', 'stores'],
  // All @tidemark packages below it, by any door: it puts their production code into a world of its own.
  sim: ['jobs', 'checkpoint', 'actors', 'stores'],
  tidemark: ['jobs', 'checkpoint', 'actors', 'stores'],
  examples: ['tidemark', 'jobs', 'checkpoint', 'actors', 'stores'],
  bench: ['tidemark', 'jobs', 'checkpoint', 'actors', 'stores'],
};
/** These show and measure what users have, so they use what users can: no `internal`, no file inside a package. */
const publicOnly = new Set(['examples', 'bench']);

export const importDirections = {
  name: 'import-directions',
  reason: 'packages import one way only (the table at the top of scripts/tidy/imports.mjs)',
  *check(sources) {
    for (const source of sources) {
      if (source.area !== 'src' || !source.isCode) continue;
      const allowed = mayImport[source.package];
      if (allowed === undefined) {
        yield { path: source.path, line: 1, message: `package ${source.package} is not in the table` };
        continue;
      }
      for (const { name, line } of source.imports()) {
        const message = judge(source, name, allowed);
        if (message !== undefined) yield { path: source.path, line, message };
      }
    }
  },
};

/** Benchmarks start real servers as tests do. */
const services = '/scripts/services/service.mjs';

function judge(source, name, allowed) {
  if (name.startsWith('.')) {
    if (source.package === 'bench' && name.endsWith(services)) return undefined;
    const inSource = source.path.split('/').slice(2, -1);
    const up = name.split('/').filter((part) => part === '..').length;
    return up >= inSource.length && up > 0 ? `${name} leaves the package's src` : undefined;
  }
  const match = /^(?:@tidemark\/([^/]+)|(tidemark))(?:\/(.+))?$/.exec(name);
  if (match === null) return undefined;
  const target = match[1] ?? match[2];
  if (target === source.package) return `${name}: a package imports its own files by relative paths`;
  if (!allowed.includes(target)) return `${source.package} must not import ${target}`;
  if (publicOnly.has(source.package) && match[3] !== undefined && match[3] !== 'package.json')
    return `${name}: ${source.package} uses public entry points only`;
  return undefined;
}
