/**
 * Every error code stands in docs/errors.md, as a heading or at the begin of a table row, and the other way round.
 *
 * A code is a member of a union named `…ErrorCode`, or the first or second argument of `new …Error(` written as a literal.
 */
const docs = 'docs/errors.md';
const union = /\btype\s+\w*ErrorCode\s*=([^;]*);/g;
const construction = /\bnew\s+\w*Error\(\s*(?:'[^'\n]*'\s*,\s*)?'([A-Z][A-Z0-9_]{5,})'/g;

export const errorCodes = {
  name: 'error-codes',
  reason: `people look an error up by its code, so ${docs} lists all codes and no others`,
  *check(sources) {
    const known = sources.find((source) => source.path === docs);
    const used = new Map();
    for (const source of sources) {
      if (source.area !== 'src' || !source.path.endsWith('.ts')) continue;
      for (const { code, line } of codesOf(source)) if (!used.has(code)) used.set(code, { path: source.path, line });
    }
    if (known === undefined) {
      yield {
        path: docs,
        line: 1,
        message: `the file does not exist yet; ${used.size} codes wait for it`,
        warns: true,
      };
      return;
    }
    const documented = new Map();
    for (const match of known.text.matchAll(/^(?:#+\s+|\|\s*)`?([A-Z][A-Z0-9_]{3,})`?(?=\s|$|\|)/gm)) {
      documented.set(match[1], known.lineAt(match.index));
    }
    for (const [code, place] of used)
      if (!documented.has(code)) yield { ...place, message: `${code} is not in ${docs}` };
    for (const [code, line] of documented) {
      // The head of a table is in capitals now and then; a code that no source text holds is stale.
      if (
        !used.has(code) &&
        code.includes('_') &&
        !sources.some((source) => source.area === 'src' && source.text.includes(`'${code}'`))
      ) {
        yield { path: docs, line, message: `${code} is in no source file` };
      }
    }
  },
};

function* codesOf(source) {
  for (const match of source.code.matchAll(union)) {
    for (const code of match[1].matchAll(/'([A-Z][A-Z0-9_]+)'/g)) {
      yield { code: code[1], line: source.lineAt(match.index + match[0].indexOf(code[0])) };
    }
  }
  for (const match of source.code.matchAll(construction)) yield { code: match[1], line: source.lineAt(match.index) };
}
