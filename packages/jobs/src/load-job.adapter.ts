import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ActorError } from '@tidemark/actors';
import { loadModule } from '@tidemark/actors/internal';
import { CheckpointError } from '@tidemark/checkpoint';
import { StoreError } from '@tidemark/stores';
import { JobError } from './errors.ts';
import { InputError } from './input/input-error.ts';

/**
 * Loads the module of a job into this thread. What it does wrong is told so that its writer finds the place.
 *
 * @throws ActorError `MODULE_FAILED`, or a code of ours that the module's own calls threw
 */
export async function loadJob(file: URL): Promise<void> {
  try {
    await loadModule(file.href);
  } catch (error) {
    throw await explained(file, error);
  }
}

async function explained(file: URL, error: unknown): Promise<unknown> {
  const isModules = error instanceof ActorError && error.code === 'MODULE_FAILED';
  if (!isModules && isOurs(error)) return error;
  const cause = isModules ? error.cause : error;
  const path = fileURLToPath(file);
  if (isTakenForCommonJs(cause)) {
    const module = path.replace(/\.ts$/, '.mts');
    const why = 'Node takes it for CommonJS, because no package.json above it says "type": "module"';
    return failed(
      `${path} cannot be loaded: ${why}. Add that line to package.json, or name the file ${module}.`,
      undefined,
    );
  }
  if (cause instanceof SyntaxError) {
    const place = await placeOfSyntaxError(path);
    if (place !== null) return failed(`${place.where} cannot be loaded: ${text(cause)}\n${place.line}`, undefined);
  }
  return isModules ? error : failed(`${path} cannot be loaded: ${text(cause)}`, cause);
}

/** An error whose code says it all; any other, also with a code of Node's (`ENOENT`), is the module's own. */
function isOurs(error: unknown): boolean {
  return [ActorError, CheckpointError, InputError, JobError, StoreError].some((ours) => error instanceof ours);
}

/** How tsx fails on a `.ts` file with `import` or a top-level `await` that Node would run as CommonJS. */
function isTakenForCommonJs(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isCycle = 'code' in error && error.code === 'ERR_REQUIRE_CYCLE_MODULE';
  return isCycle || (error.name === 'TransformError' && error.message.includes('"cjs" output format'));
}

function failed(message: string, cause: unknown): ActorError {
  return new ActorError('MODULE_FAILED', message, cause === undefined ? {} : { cause });
}

function text(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Node keeps the place of a syntax error from those who catch it, and tells it on stderr only: `path:line`, the line, carets. */
function placeOfSyntaxError(path: string): Promise<{ readonly where: string; readonly line: string } | null> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', path], { timeout: 10_000 }, (error, _, stderr) => {
      const [where = '', line = '', carets = ''] = stderr.replace(/^file:\/\//, '').split('\n');
      if (error === null || !/:\d+$/.test(where)) resolve(null);
      else resolve({ where, line: /^\s*\^/.test(carets) ? `  ${line}\n  ${carets}` : `  ${line}` });
    });
  });
}
