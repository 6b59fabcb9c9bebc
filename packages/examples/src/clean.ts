import { csv, Job } from 'tidemark';

type Raw = Readonly<Record<string, string | number | null>>;

interface Strike {
  readonly airport: string;
  readonly date: string;
  readonly species: string | null;
  readonly size: string | null;
  readonly damage: string | null;
  readonly knots: number | null;
  readonly cost: number;
}

const NUMBERS = {
  'Cost Other': 'number',
  'Cost Repair': 'number',
  'Cost Total $': 'number',
  'Speed IAS in knots': 'number',
} as const;

/**
 * Data cleaning: each report of a bird strike once, with names that a program can use and with `null` where nothing is known.
 * A row's key is the whole row, so that two equal reports meet at one worker, wherever in the file they stand.
 */
export class Clean extends Job<string, Raw, Strike, { seen: boolean }> {
  override setup() {
    this.setInput(csv<Raw>({ key: (row) => JSON.stringify(row), types: NUMBERS }));
  }

  override initial() {
    return { seen: false };
  }

  override process(_: string, row: Raw) {
    this.count('reports');
    if (row['Speed IAS in knots'] === null) this.count('speed missing');
    if (this.state.seen) {
      this.count('duplicates dropped');
      return;
    }
    this.state.seen = true;
    const strike = clean(row);
    if (strike.species === null) this.count('species unknown');
    this.emit(`${strike.date} ${strike.airport}`, strike);
  }
}

function clean(row: Raw): Strike {
  return {
    airport: String(row['Airport Name']),
    date: String(row['Flight Date']),
    species: known(row['Wildlife Species']),
    size: known(row['Wildlife Size']),
    damage: known(row['Effect Amount of damage']),
    knots: row['Speed IAS in knots'] as number | null,
    cost: Number(row['Cost Total $']),
  };
}

/** What is really known: "Unknown bird - small", "None" of an empty field and the like become null. */
function known(value: string | number | null | undefined): string | null {
  const text = String(value ?? '').trim();
  return text === '' || /^unknown/i.test(text) ? null : text;
}

await Clean.main(import.meta);
