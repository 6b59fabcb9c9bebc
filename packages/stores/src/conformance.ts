import { CHANGING } from './conformance/changing.ts';
import { LISTING } from './conformance/listing.ts';
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

/**
 * The contract of `Store` as tests: no store, and no wrapper around one, without them.
 *
 * @param makeStore opens an empty store of its own for each case; it is closed after the case.
 *
 * @example
 * for (const { name, run } of storeConformance(() => openFolderStore(freshFolder()))) test(name, run);
 */
export function storeConformance(makeStore: () => Promise<Store>): readonly ConformanceCase[] {
  return Object.entries(RULES).map(([name, rule]) => ({
    name,
    run: async () => {
      const store = await makeStore();
      try {
        await rule(store);
      } finally {
        await store.close();
      }
    },
  }));
}
