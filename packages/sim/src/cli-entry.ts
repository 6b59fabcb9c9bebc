import { runCli } from './cli.ts';

/** `npm run sim`. Wiring only. */
process.exitCode = await runCli(process.argv.slice(2), (line) => console.log(line));
