/** The flights job over a folder whose every call takes so long: `node slow-job.js STORE MS INPUT...`; prints rows a second. */
import { nodeEnvironment, startEngine } from '@tidemark/checkpoint/internal';
import { nodeJobEnvironment, runJob } from '@tidemark/jobs/internal';
import { openFolderStore, type Store } from '@tidemark/stores';

const [store, delay, ...input] = process.argv.slice(2);
const delayMs = Number(delay);

/** Each call takes longer by the delay; a hundred of them at once still take it once. */
function delayed(inner: Store): Store {
  return new Proxy(inner, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function' || name === 'close') return found;
      return async (...args: unknown[]): Promise<unknown> => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return Reflect.apply(found, target, args) as unknown;
      };
    },
  });
}

const environment = {
  ...nodeEnvironment,
  openStore: async (location: string) => {
    const inner = await openFolderStore(location);
    return delayMs === 0 ? inner : delayed(inner);
  },
};
/** Looks at how far it has read, so that the checkpoints at its end do not count. */
const LOOK_MS = 5;

let startedAt = 0;
let checkpoints = 0;
let readAt = 0;
let rowsRead = 0;
const run = await runJob(
  new URL('../../../examples/dist/flights.js', import.meta.url),
  { input, store, workers: 2, schedule: { every: '1s' } },
  (event) => {
    if (event.event === 'started') startedAt = performance.now();
    if (event.event === 'checkpoint') checkpoints++;
  },
  { ...nodeJobEnvironment, startEngine: (options) => startEngine(options, environment) },
);
const looking = setInterval(() => {
  const { rows } = run.progress();
  if (rows > rowsRead) [rowsRead, readAt] = [rows, performance.now()];
}, LOOK_MS);
await run.done;
clearInterval(looking);
process.stdout.write(`${JSON.stringify({ rowsPerSecond: (rowsRead * 1000) / (readAt - startedAt), checkpoints })}\n`);
