import { type Collected, csv, Job } from 'tidemark';

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface Airport {
  flights: number;
  delay: number;
  worst: number;
}

/** A flight this late (minutes) is worth a record of its own. */
const VERY_LATE = 180;

/** What 3,000,000 real flights of 2001 must come to, however often the job was killed. */
const KNOWN = { rows: 3_000_000, delay: 20_003_603, origins: 229 };

/**
 * Which airports are busiest, and how late do their flights leave? Aggregation by key over a large file.
 * Emits each flight that was more than three hours late; ends with a table of the ten busiest airports.
 */
export class Flights extends Job<string, Flight, Flight, Airport> {
  override setup() {
    this.setInput(csv({ key: 'origin', types: { delay: 'number', distance: 'number' } }));
  }

  override initial() {
    return { flights: 0, delay: 0, worst: Number.NEGATIVE_INFINITY };
  }

  override process(origin: string, flight: Flight) {
    const { state } = this;
    state.flights++;
    state.delay += flight.delay;
    if (flight.delay > state.worst) state.worst = flight.delay;
    if (flight.delay > VERY_LATE) this.emit(origin, flight);
  }

  override onEndOfStream(origin: string) {
    this.collect(origin, this.state);
  }

  override summarize(airports: readonly Collected[]) {
    const all = airports.map(({ key, value }) => ({ airport: key, ...(value as Airport) }));
    const rows = all.reduce((sum, airport) => sum + airport.flights, 0);
    const delay = all.reduce((sum, airport) => sum + airport.delay, 0);
    const busiest = all.sort((a, b) => b.flights - a.flights || (a.airport < b.airport ? -1 : 1)).slice(0, 10);
    return {
      title: 'The ten busiest airports',
      rows: busiest.map(({ airport, flights, delay: sum, worst }) => ({
        airport,
        flights,
        'mean delay': Math.round((sum / flights) * 100) / 100,
        'max delay': worst,
      })),
      notes: [check({ rows, delay, origins: all.length })],
    };
  }
}

/** The totals in words; over the whole file, compared with what is known of it. */
function check({ rows, delay, origins }: typeof KNOWN): string {
  const totals = `${rows.toLocaleString('en')} rows, ${delay.toLocaleString('en')} minutes of delay, ${origins} origins`;
  if (rows !== KNOWN.rows) return totals;
  return delay === KNOWN.delay && origins === KNOWN.origins
    ? `${totals}: exactly the known answers.`
    : `${totals}: WRONG.`;
}

await Flights.main(import.meta);
