/** `npm test -- ARGS`: every test, from a fresh clone. ARGS go to Vitest: a part of a file's name, `-t NAME`, … */
import { runVitest } from './run-vitest.mjs';
import { ensureBuilt, ensureData, ensureInstalled } from './setup.mjs';

ensureInstalled();
await ensureBuilt();
await ensureData();
const inCi = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);
await runVitest(process.argv.slice(2), inCi ? { TIDEMARK_REQUIRE_SERVICES: '1' } : {});
