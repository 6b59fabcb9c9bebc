import { beforeAll, expect, it } from 'vitest';
import { describeProxiedPlaces } from '../../../stores/test/support/places.ts';
import type { Toxic } from '../../../stores/test/support/toxiproxy.ts';
import { sleep } from '../support/cli.ts';
import { endOf, testPlace } from '../support/place.ts';
import {
  expectKnown,
  expectWarnings,
  flightsArgs,
  type KnownFlights,
  knownFlights,
  NOTICED,
  untilCheckpoints,
  untilNoticed,
} from './flights.ts';

const folder = testPlace('stores-network');
let known: KnownFlights;
let knownByDate: KnownFlights;
beforeAll(async () => {
  known = await knownFlights(200_000);
  knownByDate = await knownFlights(200_000, 'date');
});

const NO_REPLIES: Toxic = { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } };
const TOXICS: readonly Toxic[] = [
  { type: 'latency', stream: 'downstream', attributes: { latency: 300, jitter: 100 } },
  { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } },
  // The server acts, and nobody hears of it.
  NO_REPLIES,
  { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
  { type: 'bandwidth', stream: 'upstream', attributes: { rate: 5 } },
];
const TOXIC_MS = 1_000;

await describeProxiedPlaces('the flights job', (place) => {
  it('waits for what is slow, goes on without new checkpoints where it must, says so, and ends right', async () => {
    const output = folder.at(place().kind);
    const args = flightsArgs(known, place().location(), output);
    const run = folder.start([...args, '--rate', '3000']);
    await run.event('checkpoint', 2);
    const { proxies, servers } = place();
    for (const { name } of servers) {
      for (const toxic of TOXICS) {
        await proxies.break(name, toxic);
        await sleep(TOXIC_MS);
        await proxies.heal();
        await run.event('checkpoint', run.count('checkpoint') + 1);
      }
    }
    expect(run.count('finished')).toBe(0);
    run.process.kill('SIGTERM');
    const stopped = await endOf(run);
    expect(stopped.status).toBe(143);
    expectWarnings(stopped);
    await expectKnown(known, await folder.run(args), output);
  });

  it('gives up a checkpoint that nobody takes in time, or says what it waits for; then it takes the next one', async () => {
    const output = folder.at(`${place().kind}-half-open`);
    const args = [...flightsArgs(knownByDate, place().location(), output), '--time-limit', '1s'];
    const run = folder.start([...args, '--rate', '15000']);
    await run.event('checkpoint', 2);
    const { proxies, servers } = place();
    for (const { name } of servers) {
      await untilNoticed(run, () => proxies.break(name, NO_REPLIES));
      await untilCheckpoints(run, () => proxies.heal());
    }
    const ended = await endOf(run);
    await expectKnown(knownByDate, ended, output);
    expectWarnings(ended);
    expect(ended.stderr).toMatch(NOTICED);
  });
});
