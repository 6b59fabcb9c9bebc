import { refuseAborted } from './answers.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { fsError, quietly, told } from './fs-errors.ts';

/** Ending of every temp file: what does not end so in the temp folder is not ours to remove. */
export const TEMP_FILE_ENDING = '.part';

/**
 * Writes a new file, whole and on the disk when this resolves. On a failure the file may be there in any state: the caller
 * removes it. Its fsync is asked once (D2).
 */
export async function writeTempFile(
  fileSystem: FileSystem,
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  options: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const file = await told('create', path, fileSystem.create(path));
  try {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      refuseAborted(options.signal, options.name);
      await writeAll(file, path, chunk);
    }
    await told('fsync', path, file.sync());
  } catch (error) {
    await quietly(file.close());
    throw error;
  }
  await told('close', path, file.close());
}

/** The system may take fewer bytes than it is given; none at all would loop for ever, so it counts as a failure. */
async function writeAll(file: OpenFile, path: string, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const count = await told('write', path, file.write(bytes, done));
    if (count === 0) throw fsError('write', path, new Error('0 bytes were taken'));
    done += count;
  }
}
