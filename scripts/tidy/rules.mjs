/**
 * The rules. Each has a name, the reason that its message gives, and `check(sources, workspace)`, which yields findings
 * `{ path, line, message }`; `warns` means that it is told and does not fail.
 */
import { deadFiles } from './dead-files.mjs';
import { errorCodes } from './error-codes.mjs';
import { guarantees } from './guarantees.mjs';
import { importDirections } from './imports.mjs';

/** Files that may use what others must be given: path → reason. Adapters (`*.adapter.ts`) need no entry. */
const ambientAllowed = new Map([
  ['packages/stores/src/unique-name.ts', 'names of objects must differ between processes, so no seed may rule them'],
]);
const ambientPackages = new Set(['actors', 'stores', 'checkpoint', 'jobs']);
const ambient = [
  [/\bDate\.now\b/g, 'Date.now'],
  [/\bnew Date\s*(?:\(\s*\)|(?![\s(\w]))/g, 'new Date()'],
  [/\bperformance\.(?:now|timeOrigin)\b/g, 'performance'],
  [/\bprocess\.hrtime\b/g, 'process.hrtime'],
  [/\bTemporal\./g, 'Temporal'],
  [/\bMath\.random\b/g, 'Math.random'],
  [/\b(?:randomUUID|randomBytes|randomInt|getRandomValues|randomFill(?:Sync)?)\b/g, 'crypto random'],
  [/(?:(?<![.\w$#])|\bglobalThis\.)(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, 'a timer'],
  [/\bAbortSignal\.timeout\b/g, 'AbortSignal.timeout'],
];

const linesMax = 400;

export const rules = [
  importDirections,
  deadFiles,
  {
    name: 'ambient',
    reason:
      'time, chance and timers are injected, so that tests and the simulator rule them; take a clock, or put it into a *.adapter.ts',
    *check(sources) {
      for (const source of sources) {
        if (source.area !== 'src' || !source.isCode || !ambientPackages.has(source.package)) continue;
        if (source.path.endsWith('.adapter.ts') || ambientAllowed.has(source.path)) continue;
        for (const [pattern, what] of ambient) yield* matches(source, source.bare, pattern, what);
        for (const { name, line } of source.imports()) {
          if (/^node:timers(\/promises)?$/.test(name)) yield { path: source.path, line, message: `import of ${name}` };
        }
      }
    },
  },
  {
    name: 'file-length',
    reason: `a file of more than ${linesMax} lines holds more than one concept`,
    *check(sources) {
      for (const source of sources) {
        if (!source.isCode) continue;
        const lines = source.text.split('\n').length - 1;
        if (lines > linesMax) yield { path: source.path, line: linesMax + 1, message: `${lines} lines` };
      }
    },
  },
  {
    name: 'no-any',
    reason:
      'any turns the compiler off; use unknown and narrow it, or say why with "oxlint-disable-next-line no-explicit-any -- reason"',
    *check(sources) {
      for (const source of typeScript(sources)) {
        const found = matches(
          source,
          source.bare,
          /(?<=[:<|&,(=]|=>|\b(?:as|extends|is|keyof))\s*any\b(?!\s*[:(.\w])/g,
          'any',
        );
        for (const finding of found) if (!anyIsExcused(source, finding.line)) yield finding;
      }
    },
  },
  {
    name: 'no-escape',
    reason: 'a silenced compiler or an open task is a bug that nobody sees; mend it, or write an issue',
    *check(sources) {
      for (const source of sources) {
        if (!source.isCode || source.path.startsWith('scripts/tidy/')) continue;
        yield* matches(source, source.text, /@ts-(?:ignore|nocheck)|\b(?:TODO|FIXME)\b/g);
      }
    },
  },
  {
    name: 'no-slice-of-bytes',
    reason:
      'of a Buffer slice() is no copy: it shows the same memory, which goes along when it is transferred; write new Uint8Array(bytes), and of a list [...list]',
    *check(sources) {
      for (const source of typeScript(sources)) {
        if (source.area === 'src') yield* matches(source, source.bare, /\.slice\(\)/g);
      }
    },
  },
  {
    name: 'no-only',
    reason: 'a focused test leaves all others out',
    *check(sources) {
      for (const source of typeScript(sources))
        yield* matches(source, source.bare, /\b(?:it|test|describe|suite)(?:\.\w+)*\.only\b/g);
    },
  },
  {
    name: 'names-one-by-one',
    reason: 'index.ts is the list of public names; a star makes names public by accident',
    *check(sources) {
      for (const source of sources) {
        if (source.package !== undefined && source.path.endsWith('/src/index.ts')) {
          yield* matches(source, source.bare, /\bexport\s+(?:type\s+)?\*/g, 'export *');
        }
      }
    },
  },
  {
    name: 'no-machine-paths',
    reason: 'the path or host exists on one machine only; use a relative path, a temporary folder or a placeholder',
    *check(sources) {
      for (const source of sources) {
        if (source.path.startsWith('scripts/tidy/')) continue;
        yield* matches(source, source.text, /(?<![\w.~*$})/-])\/(?:work|home|root|tmp)(?![\w-])/g);
        yield* matches(source, source.text, /\b[A-Z]:\\Users\\/g);
        yield* matches(
          source,
          source.text,
          /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\/\/[^/\s'"]*(?:artifactory|nexus|verdaccio|npmmirror|jfrog)[^/\s'"]*/g,
        );
      }
    },
  },
  errorCodes,
  guarantees,
];

/** The excuse stands on the line before, or for the whole file in a block comment; without a reason it is none. */
function anyIsExcused(source, line) {
  if (/\/\*\s*oxlint-disable\s[^*]*no-explicit-any[^*]*--\s*\w[^*]*\*\//.test(source.text)) return true;
  const before = source.text.split('\n')[line - 2] ?? '';
  return /oxlint-disable-next-line\s.*no-explicit-any.*--\s*\w/.test(before);
}

function typeScript(sources) {
  return sources.filter((source) => source.package !== undefined && /\.tsx?$/.test(source.path));
}

function* matches(source, text, pattern, what) {
  for (const match of text.matchAll(pattern)) {
    yield { path: source.path, line: source.lineAt(match.index), message: what ?? match[0].trim() };
  }
}
