import { beforeAll, expect, it } from 'vitest';
import { describePlaces } from '../../../stores/test/support/places.ts';
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

const folder = testPlace('stores-servers');
let known: KnownFlights;
beforeAll(async () => {
  known = await knownFlights(200_000);
});

await describePlaces('the flights job, whose servers are killed with SIGKILL and started again', (place) => {
  it('goes on without new checkpoints, says so, and ends right', async () => {
    const output = folder.at(place().kind);
    const run = folder.start([...flightsArgs(known, place().location(), output), '--rate', '8000']);
    await run.event('checkpoint', 2);
    for (const server of place().servers) {
      await untilNoticed(run, server.kill);
      await untilCheckpoints(run, server.start);
    }
    const ended = await endOf(run);
    await expectKnown(known, ended, output);
    expectWarnings(ended);
    expect(ended.stderr).toMatch(NOTICED);
  });

  it('begins while a server is away: it says so, waits, and runs when the server is there again', async () => {
    for (const server of place().servers) {
      const output = folder.at(`${place().kind}-${server.name}`);
      await server.kill();
      const run = folder.start(flightsArgs(known, place().location(), output));
      await run.saysOnStderr(/The start tries again, for \d+ s at most\./);
      await server.start();
      const ended = await endOf(run);
      await expectKnown(known, ended, output);
      expect(ended.stderr).toMatch(/^WARNING: STORE_UNREACHABLE: .*\n$/);
    }
  });
});
