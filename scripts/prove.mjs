// `npm run prove -- NAME`: the long proofs, packages/*/prove/**/*.prove.ts; with NAME those whose file has it in its name.
// They kill processes, run for minutes and print what they measured; `npm test` leaves them out.
import { runVitest } from './run-vitest.mjs';
import { ensureBuilt, ensureData, ensureInstalled } from './setup.mjs';

ensureInstalled();
await ensureBuilt();
await ensureData();
await runVitest(process.argv.slice(2), { TIDEMARK_PROVE: '1' });
