/** The flights job as a plain program: one thread, readline, split and a Map. `node plain.js PATH [REPLAYS]` */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { addFlight, programArguments, report, type Totals } from './totals.ts';

const { path, replays } = programArguments(process.argv.slice(2));
const totals: Totals = new Map();
const startedAt = performance.now();
for (let replay = 0; replay < replays; replay++) {
  let isHeader = true;
  const lines = createInterface({ input: createReadStream(path) });
  lines.on('line', (line) => {
    if (!isHeader) {
      const [, delay, , origin] = line.split(',');
      addFlight(totals, origin, Number(delay));
    }
    isHeader = false;
  });
  await once(lines, 'close');
}
process.stdout.write(`${report(totals, replays, (performance.now() - startedAt) / 1000)}\n`);
