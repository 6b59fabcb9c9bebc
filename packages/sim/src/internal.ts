export { BUGS, hunt, runWithoutBug } from './bugs/all.ts';
export { runCli } from './cli.ts';
export { Disk } from './disk.ts';
export { PROGRAMS } from './programs/all.ts';
export { runSeed } from './run.ts';
export type { RunOptions, RunResult } from './run-options.ts';
export { type StoreHost, SimStore } from './store.ts';
export { World } from './world.ts';
