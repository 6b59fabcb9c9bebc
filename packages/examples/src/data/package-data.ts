/** Where the data packages keep their files. They are found through their entry module, as not all of them export package.json. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from './data-error.ts';

/** Path of a file or folder under the root of an installed package whose entry module lies one folder below that root. */
export function packageData(name: string, ...path: readonly string[]): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', ...path);
  } catch (cause) {
    throw new DataError(
      'DATA_NOT_INSTALLED',
      `The package ${name}, which holds example data, is not installed. Run the workspace's install command.`,
      { cause },
    );
  }
}
