import { parseLocation } from '@tidemark/stores/internal';
import type { FileAccess } from './input/file-access.ts';

/** There cannot be a checkpoint yet, and opening the store would make it. */
export function isNewFolder(files: FileAccess, location: string): boolean {
  const place = parseLocation(location);
  return place.kind === 'folder' && !files.exists(place.path);
}
