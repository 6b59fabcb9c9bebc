/** Finds the files that the inputs of a job name. */
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import type { FileAccess, OpenFile } from './file-access.ts';
import type { InputProblem } from './input-error.ts';
import type { InputFile } from './input-plan.ts';
import { fingerprintBytes } from './limits.ts';
import { type PathPattern, pathPattern } from './path-pattern.ts';

/**
 * Absolute paths of all files that `inputs` name, in their order. A folder stands for the files in it, and `*` in the last
 * part of a path for any characters of a file's name.
 */
export async function findFiles(
  files: FileAccess,
  inputs: readonly string[],
  problems: InputProblem[],
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const input of inputs) {
    const path = resolve(input);
    const pattern = pathPattern(path);
    // A file may have a `*` in its own name: then it is meant.
    if (pattern !== undefined && !files.exists(path)) {
      paths.push(...(await filesThatFit(files, input, pattern, problems)));
      continue;
    }
    const found = await statOf(files, input, path, problems);
    if (found?.isDirectory()) paths.push(...(await filesIn(files, path, problems)));
    else if (found?.isFile()) paths.push(path);
    else if (found) problems.push(notReadable(path, 'it is neither a file nor a folder'));
  }
  return paths;
}

/** Opens a file for `use` and closes it; a failure becomes a problem. */
export async function withFile<T>(
  files: FileAccess,
  path: string,
  problems: InputProblem[],
  use: (handle: OpenFile) => Promise<T>,
): Promise<T | undefined> {
  let handle: OpenFile | undefined;
  try {
    handle = await files.open(path);
    return await use(handle);
  } catch (error) {
    problems.push(problemOf(path, path, error));
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** Size and fingerprint of an open file. */
export async function identify(handle: OpenFile): Promise<Pick<InputFile, 'size' | 'fingerprint'>> {
  const { size } = await handle.stat();
  const bytes = Buffer.allocUnsafe(fingerprintBytes);
  const ahead = await readUpTo(handle, bytes, 0);
  const checksum = crc32(bytes.subarray(0, ahead));
  const behind = await readUpTo(handle, bytes, Math.max(0, size - fingerprintBytes));
  return { size, fingerprint: crc32(bytes.subarray(0, behind), checksum).toString(16).padStart(8, '0') };
}

/** Fills `bytes` from `position` of the file as far as it goes; answers how many bytes those are. */
export async function readUpTo(handle: OpenFile, bytes: Buffer, position: number): Promise<number> {
  let have = 0;
  while (have < bytes.length) {
    const { bytesRead } = await handle.read(bytes, have, bytes.length - have, position + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return have;
}

async function statOf(
  files: FileAccess,
  input: string,
  path: string,
  problems: InputProblem[],
): Promise<Awaited<ReturnType<FileAccess['stat']>> | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    problems.push(problemOf(input, path, error));
    return undefined;
  }
}

async function filesIn(files: FileAccess, folder: string, problems: InputProblem[]): Promise<readonly string[]> {
  const paths = await filesNamed(files, folder, (name) => !name.startsWith('.'), problems);
  if (paths?.length === 0) {
    problems.push({
      code: 'INPUT_EMPTY_FOLDER',
      message: `The folder ${folder} holds no files to read. Hidden files and folders inside of it are not looked at: name the files, or the inner folder.`,
    });
  }
  return paths ?? [];
}

async function filesThatFit(
  files: FileAccess,
  input: string,
  pattern: PathPattern,
  problems: InputProblem[],
): Promise<readonly string[]> {
  const paths = await filesNamed(files, pattern.folder, (name) => pattern.fits(name), problems);
  if (paths?.length === 0) {
    problems.push({
      code: 'INPUT_NOT_FOUND',
      message: `No file in ${pattern.folder} fits ${input}. Correct the pattern: * stands for any characters, in the last part of a path only.`,
    });
  }
  return paths ?? [];
}

/** Files of a folder by name, in name order; undefined when the folder cannot be read, which is a problem then. */
async function filesNamed(
  files: FileAccess,
  folder: string,
  wanted: (name: string) => boolean,
  problems: InputProblem[],
): Promise<readonly string[] | undefined> {
  const paths: string[] = [];
  try {
    for (const name of (await files.names(folder)).filter(wanted).sort()) {
      const path = join(folder, name);
      // Followed, as a folder may hold links to files; a link to nothing is a problem.
      const found = await statOf(files, path, path, problems);
      if (found?.isFile()) paths.push(path);
    }
  } catch (error) {
    problems.push(problemOf(folder, folder, error));
    return undefined;
  }
  return paths;
}

function problemOf(input: string, path: string, error: unknown): InputProblem {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return notReadable(path, message);
  const where = input === path ? '' : `, that is ${path}`;
  const inFolder = input.includes('*') ? ' (a * is understood in its last part only)' : '';
  return {
    code: 'INPUT_NOT_FOUND',
    message: `There is no file or folder ${input}${where}. Correct the path${inFolder}, or run in the folder that it starts from; this is ${process.cwd()}.`,
  };
}

function notReadable(path: string, reason: string): InputProblem {
  return {
    code: 'INPUT_NOT_READABLE',
    message: `The input ${path} cannot be read: ${reason}. Give this user the right to read it, or name another.`,
  };
}
