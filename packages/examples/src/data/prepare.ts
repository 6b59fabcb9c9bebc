/** `node prepare.js ROOT` makes ROOT/.data/flights-3m.csv unless it is there, and prints its path. */
import { resolve } from 'node:path';
import { prepareFlights } from './flights-data.ts';

const path = await prepareFlights(resolve(process.argv[2] ?? '.'), (line) => process.stderr.write(`${line}\n`));
process.stdout.write(`${path}\n`);
