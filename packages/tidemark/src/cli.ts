import { loadEngine } from './cli/engine.ts';
import { main } from './cli/main.adapter.ts';

await main({
  argv: process.argv.slice(2),
  childEntry: new URL('./cli/child-entry.js', import.meta.url),
  loadEngine,
  random: Math.random,
});
