/** `npm run sim -- ARGS`: the production code in a simulated world, seed by seed; `--help` says what can be asked. */
import { join } from 'node:path';
import { become, ensureBuilt, ensureInstalled, root } from './setup.mjs';

ensureInstalled();
await ensureBuilt();
await become(join(root, 'packages', 'sim', 'dist', 'cli-entry.js'), process.argv.slice(2));
