export type { EntryKind, FileFacts, FileSystem, FolderEntry, OpenFile } from './file-system.ts';
export type { FolderParts, FolderStore } from './folder-store.ts';
export { type Location, parseLocation, withoutSecrets } from './location.ts';
export { NAME_CHARS_MAX, SEGMENT_CHARS_MAX, STALE_TEMP_MS } from './limits.ts';
export { checkName, checkPrefix, isNameSegment, TEMP_FOLDER } from './names.ts';
export { nodeFileSystem } from './node-file-system.adapter.ts';
export { openFolderStoreOn } from './open-folder-store.ts';
export { uniqueName } from './unique-name.ts';
