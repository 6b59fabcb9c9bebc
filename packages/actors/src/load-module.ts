import { existsSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ActorError } from './errors.ts';

/**
 * Imports a user's module into this thread. A `.ts` file runs natively where Node can (22.18 and later) and through
 * tsx elsewhere, or when it uses syntax that Node cannot strip. The URL is a hint: `.ts` and `.js` are both tried.
 *
 * @throws ActorError `ACTORS_NOT_FOUND` naming both URLs, `NEEDS_TSX` with the command that helps, `MODULE_FAILED` with the module's own error
 */
export async function loadModule(hint: string): Promise<void> {
  const url = locate(hint);
  const isTypeScript = /\.[cm]?tsx?$/.test(new URL(url).pathname);
  if (isTypeScript && !nativeTypeScript()) await useTsx(url, 'this Node cannot run TypeScript by itself');
  try {
    await import(url);
  } catch (error) {
    if (!isTypeScript || registered || !isUnsupportedSyntax(error)) throw failed(url, error);
    await useTsx(url, 'it uses TypeScript syntax that Node cannot strip');
    await import(url).catch((again: unknown) => {
      throw failed(url, again);
    });
  }
}

/** An error with a code is clear already; any other is the module's own, and running it again cannot help. */
function failed(url: string, error: unknown): unknown {
  if (error instanceof Error && 'code' in error && !String(error.code).startsWith('ERR_')) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new ActorError('MODULE_FAILED', `${fileURLToPath(url)} cannot be loaded: ${what}`, { cause: error });
}

function nativeTypeScript(): boolean {
  const features = process.features as { readonly typescript?: unknown };
  return features.typescript !== undefined && features.typescript !== false;
}

function isUnsupportedSyntax(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : '';
  return (
    code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ||
    code === 'ERR_INVALID_TYPESCRIPT_SYNTAX' ||
    error instanceof SyntaxError
  );
}

function locate(hint: string): string {
  const url = new URL(hint);
  if (url.protocol !== 'file:' || existsSync(url)) return hint;
  const other = new URL(hint);
  other.pathname = swapExtension(url.pathname);
  if (existsSync(other)) return other.href;
  throw new ActorError(
    'ACTORS_NOT_FOUND',
    `no module at ${fileURLToPath(url)}, nor at ${fileURLToPath(other)}; pass the URL of an existing file, e.g. new URL('./bank.ts', import.meta.url)`,
  );
}

function swapExtension(path: string): string {
  return path.endsWith('ts') ? path.replace(/ts$/, 'js') : path.replace(/js$/, 'ts');
}

let registered = false;

async function useTsx(url: string, why: string): Promise<void> {
  if (registered) return;
  const from = [url, pathToFileURL(`${process.cwd()}/package.json`).href, import.meta.url];
  for (const base of from) {
    const found = resolveTsx(base);
    if (found === null) continue;
    const api = (await import(found)) as { readonly register: () => unknown };
    api.register();
    register(ES_MODULES);
    registered = true;
    return;
  }
  throw new ActorError(
    'NEEDS_TSX',
    `${fileURLToPath(url)} needs tsx, because ${why}: npm install --save-dev tsx, or use Node 22.18 or later, or compile the file to JavaScript first`,
  );
}

/** The ES module of tsx's API as seen from `base`; `require.resolve` would answer the CommonJS one. */
function resolveTsx(base: string): string | null {
  let manifest: string;
  try {
    manifest = createRequire(base).resolve('tsx/package.json');
  } catch {
    return null;
  }
  const api = new URL('./dist/esm/api/index.mjs', pathToFileURL(manifest));
  return existsSync(api) ? api.href : null;
}

/**
 * Beside no package.json with a "type", tsx runs a `.ts` file as CommonJS, where a job's `await MyJob.main(import.meta)` is
 * an error; Node itself looks at its syntax (22.18 and later). So does this hook of module resolution.
 */
const ES_MODULES = `data:text/javascript,${encodeURIComponent(`
import { readFileSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  if (found.format !== 'commonjs' || !/\\.ts(\\?|$)/.test(found.url)) return found;
  return /^\\s*(import|export)\\b/m.test(readFileSync(new URL(found.url), 'utf8')) ? { ...found, format: 'module' } : found;
}
`)}`;
