export { bank } from './programs/bank.ts';
