import { StoreError } from '../errors.ts';
import { isNameSegment, TEMP_FOLDER } from '../names.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { badAnswer } from './s3-errors.ts';
import { LIST_PAGES_MAX } from './s3-limits.ts';

/** One page of a listing, as the server answered it. */
type Page = Extract<Awaited<ReturnType<S3Bucket['list']>>, { ok: true }>['output'];

/**
 * All names that begin with `prefix` and come after `after`, in ascending order of their bytes.
 *
 * Each page is asked for by the last key of the one before, so a page that failed can be asked for again. What the server
 * answers is checked: keys rise strictly, from page to page too, so a listing that goes round in circles ends at once, and a
 * page that cannot be read is an error, never an empty page (S5). Keys that are no names of objects are left out: what others
 * keep under the prefix, and what the store itself keeps under `tmp/`.
 */
export async function listNames(
  bucket: S3Bucket,
  prefix: string,
  { after, page }: { readonly after: string; readonly page: (after: string, nth: number) => Promise<Page> },
): Promise<readonly string[]> {
  const about = bucket.about('ListObjectsV2', prefix);
  const names: string[] = [];
  // The prefix itself may be a key: consoles make such ones to show a folder.
  let last = after === '' ? undefined : after;
  for (let nth = 1; nth <= LIST_PAGES_MAX; nth++) {
    const { Contents = [], IsTruncated } = await page(last ?? '', nth);
    if (typeof IsTruncated !== 'boolean') throw badAnswer(about, 'the answer is no listing');
    for (const { Key = '' } of Contents) {
      const name = bucket.nameOf(Key);
      if (name === undefined || !name.startsWith(prefix))
        throw badAnswer(about, 'it lists a key that was not asked for');
      if (last !== undefined && !isAfter(name, last))
        throw badAnswer(about, 'it does not list keys in the order of their bytes, each once');
      last = name;
      if (isObjectName(name)) names.push(name);
    }
    if (!IsTruncated) return names;
    if (Contents.length === 0) throw badAnswer(about, 'it says that there is more, and gives nothing');
  }
  throw new StoreError(
    'fatal',
    'STORE_TOO_LARGE',
    `${about} has more than ${LIST_PAGES_MAX} pages. Look who else writes under this prefix.`,
  );
}

/** In the order of S3, that of UTF-8. */
function isAfter(name: string, last: string): boolean {
  return Buffer.compare(Buffer.from(name), Buffer.from(last)) > 0;
}

function isObjectName(name: string): boolean {
  const segments = name.split('/');
  return segments[0] !== TEMP_FOLDER && segments.every(isNameSegment);
}
