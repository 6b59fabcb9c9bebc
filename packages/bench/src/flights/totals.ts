/** What every program of the flights benchmark computes, and how its result is checked and shown. */

/** Rows of the flights file, and the sum of their delays in minutes. */
const rowsOfFile = 3_000_000;
const delayOfFile = 20_003_603;

/** Of one airport of origin. */
export interface AirportTotals {
  flights: number;
  /** Of all delays, in minutes; a flight that left early counts negative. */
  delay: number;
  maxDelay: number;
}

export type Totals = Map<string, AirportTotals>;

export function addFlight(totals: Totals, airport: string, delay: number): void {
  const known = totals.get(airport);
  if (known === undefined) {
    totals.set(airport, { flights: 1, delay, maxDelay: delay });
    return;
  }
  known.flights++;
  known.delay += delay;
  if (delay > known.maxDelay) known.maxDelay = delay;
}

/** What a program prints; throws when the totals are not those of the file read `replays` times. */
export function report(totals: Totals, replays: number, seconds: number): string {
  const airports = [...totals].sort(([, a], [, b]) => b.flights - a.flights);
  const rows = airports.reduce((sum, [, { flights }]) => sum + flights, 0);
  const delay = airports.reduce((sum, [, airport]) => sum + airport.delay, 0);
  if (rows !== rowsOfFile * replays || delay !== delayOfFile * replays) {
    throw new Error(
      `Wrong totals: ${rows} rows and ${delay} minutes of delay, ` +
        `expected ${rowsOfFile * replays} and ${delayOfFile * replays}. Is it the whole flights-3m.csv?`,
    );
  }
  const top = airports.slice(0, 10).map(([airport, { flights, delay: sum, maxDelay }]) => ({
    airport,
    flights,
    mean: Number((sum / flights).toFixed(2)),
    max: maxDelay,
  }));
  return JSON.stringify({ rows, seconds: Number(seconds.toFixed(3)), top });
}

/** Path of the file and number of replays, from the command line. */
export function programArguments(argv: readonly string[]): { readonly path: string; readonly replays: number } {
  const [path, replays = '1'] = argv;
  if (path === undefined || !/^[1-9]\d*$/.test(replays)) throw new Error('Arguments: PATH-OF-flights-3m.csv [REPLAYS]');
  return { path, replays: Number(replays) };
}
