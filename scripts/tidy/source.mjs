/**
 * Source files as the rules see them: the text, the same text without comments (`code`), and without comments and the
 * insides of strings (`bare`). All three have equal length, so a position in one is the same place in the others.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const skippedFolders = new Set(['node_modules', 'dist', '.git', '.data', '.tidemark', 'coverage']);
const textEnds = /\.(ts|tsx|mjs|js|json|jsonc|md|ya?ml|css|html|sh)$/;
const skippedFiles = new Set(['pnpm-lock.yaml']);

/** Every text file of the repository that people write, in a stable order. */
export function readRepository(root) {
  return walk(root)
    .map((file) => relative(root, file).replaceAll('\\', '/'))
    .filter((path) => textEnds.test(path) || path === '.ci/run' || path === '.npmrc')
    .sort()
    .map((path) => new Source(path, readFileSync(join(root, path), 'utf8')));
}

export class Source {
  #blanked;
  #lineStarts;

  constructor(path, text) {
    this.path = path;
    this.text = text;
    const parts = path.split('/');
    /** Name of the package's folder, or undefined outside of `packages/`. */
    this.package = parts[0] === 'packages' ? parts[1] : undefined;
    /** `src`, `test`, `prove`, `bin` or undefined. */
    this.area = this.package === undefined ? undefined : parts.length > 3 ? parts[2] : undefined;
    this.isCode = /\.(ts|tsx|mjs|js)$/.test(path);
    this.isMarkdown = path.endsWith('.md');
  }

  get code() {
    return (this.#blanked ??= blank(this.text)).code;
  }

  get bare() {
    return (this.#blanked ??= blank(this.text)).bare;
  }

  /** Line number, from 1, of a position in the text. */
  lineAt(position) {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map((match) => match.index + 1)];
    let line = this.#lineStarts.findIndex((start) => start > position);
    if (line === -1) line = this.#lineStarts.length;
    return line;
  }

  /** Everything this file loads by a literal name: imports, re-exports, dynamic imports, `new URL(…, import.meta.url)`. */
  imports() {
    const found = [];
    for (const pattern of importPatterns) {
      for (const match of this.code.matchAll(pattern)) {
        // The keyword must be code, not part of a string.
        if (/\s/.test(this.bare[match.index])) continue;
        found.push({ name: match[1], line: this.lineAt(match.index) });
      }
    }
    return found;
  }
}

const importPatterns = [
  /\b(?:import|export)\b[^'"`;=()]*?\bfrom\s*['"]([^'"\n]+)['"]/g,
  /\bimport\s*['"]([^'"\n]+)['"]/g,
  /\bimport\s*\(\s*['"]([^'"\n]+)['"]/g,
  /\bimport\.meta\.resolve\(\s*['"]([^'"\n]+)['"]/g,
  /\bnew URL\(\s*['"]([^'"\n]+)['"]\s*,\s*import\.meta\.url/g,
];

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : walk(path);
    return entry.isFile() && !skippedFiles.has(entry.name) && existsSync(path) ? [path] : [];
  });
}

/** Tokens that matter for telling code from text: comments, strings, regular expressions, templates. */
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:\\[\s\S]|[^'\\\n])*'?|"(?:\\[\s\S]|[^"\\\n])*"?|`|[{}]|\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/g;
/** A slash after one of these begins a regular expression; after anything else it divides. */
const beforeRegExp = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|case|typeof|in|of|void|yield|await))\s*$/;

function blank(text) {
  const code = [];
  const bare = [];
  /** One entry per open `{`; true when it is the `${` of a template. */
  const braces = [];
  let at = 0;
  const keep = (end) => {
    code.push(text.slice(at, end));
    bare.push(text.slice(at, end));
    at = end;
  };
  const hide = (end, alsoInCode) => {
    const spaces = text.slice(at, end).replace(/[^\n]/g, ' ');
    code.push(alsoInCode ? spaces : text.slice(at, end));
    bare.push(spaces);
    at = end;
  };
  const templateText = () => {
    const end = /(?:\\[\s\S]|(?!\$\{)[^`\\])*/y;
    end.lastIndex = at;
    hide(at + end.exec(text)[0].length, false);
    if (text[at] === '`') keep(at + 1);
    else if (text.startsWith('${', at)) {
      keep(at + 2);
      braces.push(true);
    }
  };

  for (;;) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) {
      keep(text.length);
      return { code: code.join(''), bare: bare.join('') };
    }
    const [found] = match;
    keep(match.index);
    if (found.startsWith('//') || found.startsWith('/*')) hide(at + found.length, true);
    else if (found === '`') {
      keep(at + 1);
      templateText();
    } else if (found === '{') {
      keep(at + 1);
      braces.push(false);
    } else if (found === '}') {
      keep(at + 1);
      if (braces.pop() === true) templateText();
    } else if (found.startsWith('/')) {
      if (beforeRegExp.test(text.slice(Math.max(0, at - 20), at))) hide(at + found.length, false);
      else keep(at + 1);
    } else {
      keep(at + 1);
      hide(match.index + found.length - 1, false);
      keep(match.index + found.length);
    }
  }
}
