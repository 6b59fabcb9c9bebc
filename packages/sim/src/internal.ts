export { BUGS, hunt, runWithBug } from './bugs/all.ts';
export { PROGRAMS } from './programs/all.ts';
