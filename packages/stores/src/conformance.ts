import { CHANGING } from './conformance/changing.ts';
import { LARGE } from './conformance/large.ts';
import { LISTING } from './conformance/listing.ts';
import { LOST_REPLIES, type LossyStore } from './conformance/lost-replies.ts';
import { NAMING } from './conformance/names.ts';
import { PUT_IF_ABSENT } from './conformance/put-if-absent.ts';
import { READING } from './conformance/reading.ts';
import { WHOLE_OBJECTS } from './conformance/whole-objects.ts';
import type { Store } from './store.ts';

const RULES = { ...WHOLE_OBJECTS, ...PUT_IF_ABSENT, ...LISTING, ...READING, ...CHANGING, ...NAMING };

/** One rule of the contract, as a test that needs no framework: it rejects when the store breaks the rule. */
export interface ConformanceCase {
  /** Begins with the invariant that it shows, such as `S3`, or with the call that it is about. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

export type { LossyStore } from './conformance/lost-replies.ts';

export interface ConformanceOptions {
  /** Also objects of 256 MB and 10,000 of them, which take minutes. */
  readonly large?: boolean;
  /** Where replies of the store's place can be lost: opens an empty store of its own for each case about that. */
  readonly makeLossyStore?: () => Promise<LossyStore>;
}

/**
 * The contract of `Store` as tests: no store, and no wrapper around one, without them.
 *
 * @param makeStore opens an empty store of its own for each case; it is closed after the case.
 * @param options which cases there are beside those that every store can run
 *
 * @example
 * for (const { name, run } of storeConformance(() => openFolderStore(freshFolder()))) test(name, run);
 */
export function storeConformance(
  makeStore: () => Promise<Store>,
  { large = false, makeLossyStore }: ConformanceOptions = {},
): readonly ConformanceCase[] {
  const rules = cases(large ? { ...RULES, ...LARGE } : RULES, makeStore, (store) => store);
  if (makeLossyStore === undefined) return rules;
  return [...rules, ...cases(LOST_REPLIES, makeLossyStore, ({ store }) => store)];
}

function cases<T>(
  rules: Readonly<Record<string, (subject: T) => Promise<void>>>,
  make: () => Promise<T>,
  storeOf: (subject: T) => Store,
): readonly ConformanceCase[] {
  return Object.entries(rules).map(([name, rule]) => ({
    name,
    run: async () => {
      const subject = await make();
      try {
        await rule(subject);
      } finally {
        await storeOf(subject).close();
      }
    },
  }));
}
