import { basename, dirname } from 'node:path';

/** Files of one folder whose names fit, as `data/*.txt` means it: a shell does this too, but not in quotes, nor on Windows. */
export interface PathPattern {
  readonly folder: string;
  /** Whether the name of a file in `folder` fits. As in a shell, `*` alone does not stand for hidden files. */
  fits(name: string): boolean;
}

/** What an absolute path with a `*` in its last part means; undefined for any other path. */
export function pathPattern(path: string): PathPattern | undefined {
  const last = basename(path);
  if (!last.includes('*')) return undefined;
  const parts = last.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`));
  const whole = new RegExp(`^${parts.join('.*')}$`, 's');
  return {
    folder: dirname(path),
    fits: (name) => whole.test(name) && (last.startsWith('.') || !name.startsWith('.')),
  };
}
