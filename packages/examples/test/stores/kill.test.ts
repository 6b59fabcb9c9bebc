import { beforeAll, expect, it } from 'vitest';
import { describePlaces } from '../../../stores/test/support/places.ts';
import { seededRandom, sleep } from '../support/cli.ts';
import { testPlace } from '../support/place.ts';
import { expectKnown, flightsArgs, type KnownFlights, knownFlights } from './flights.ts';

const KILLS = 10;
const RATE = 20_000;
const MOMENT_MS_MAX = 700;

const folder = testPlace('stores-kill');
let known: KnownFlights;
beforeAll(async () => {
  known = await knownFlights(150_000);
});

await describePlaces('the flights job, killed with SIGKILL again and again', (place) => {
  it('loses nothing and doubles nothing', async () => {
    const random = seededRandom(20_261_126);
    const output = folder.at(place().kind);
    const args = flightsArgs(known, place().location(), output);
    let later = 0;
    let from = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const run = folder.start([...args, '--rate', String(RATE)]);
      const started = await run.event('started');
      if (Number(started['from'] ?? 0) > from) later++;
      from = Number(started['from'] ?? 0);
      await sleep(random() * MOMENT_MS_MAX);
      expect(run.count('finished')).toBe(0);
      run.kill9('group');
      await run.ended;
      expect(run.stderr).toBe('');
    }
    const last = await folder.run(args);
    await expectKnown(known, last, output);
    expect(last.stderr).toBe('');
    // Runs began where one before them had come to, or the kills would show nothing.
    expect(later).toBeGreaterThanOrEqual(KILLS / 2);
    const again = await folder.run(args);
    expect(again.last('finished')).toMatchObject({ already: true, rows: known.rows });
  });
});
