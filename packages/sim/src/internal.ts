export { BUGS, hunt, runWithoutBug } from './bugs/all.ts';
export { runCli } from './cli.ts';
export { Disk } from './disk.ts';
export { PROGRAMS } from './programs/all.ts';
export { type RunOptions, type RunResult, runSeed } from './run.ts';
export { type StoreHost, SimStore } from './store.ts';
export { World } from './world.ts';
