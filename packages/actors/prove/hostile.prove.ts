/**
 * A megabyte of bytes that nobody has written is read or refused in 50 ms: the dearest that are known, and frames made from seeds.
 * `TIDEMARK_HOSTILE_SEEDS` says how many, `TIDEMARK_HOSTILE_SEED` which one alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { PackedFrame } from '@tidemark/actors/internal';
import { afterAll, expect, test } from 'vitest';
import { DEAREST, expectNoPollution, MEGABYTE, readFrame } from '../test/support/hostile-bytes.ts';
import { hostileFrame } from '../test/support/hostile-frames.ts';
import { thrownBy } from '../test/support/thrown.ts';
import { Chance } from '../src/testing/chance.ts';

const only = process.env['TIDEMARK_HOSTILE_SEED'];
const seeds = Number(process.env['TIDEMARK_HOSTILE_SEEDS'] ?? 4_000);
const MS_MAX = 50;
const TURNS = 3;

/** Time of the clock, and of it what this thread had a core for. */
interface Time {
  readonly wallMs: number;
  readonly coreMs: number;
}

interface Dear extends Time {
  readonly what: string;
}

let dearest: Dear = { what: 'nothing', wallMs: 0, coreMs: 0 };
const counts = { read: 0, refused: 0, again: 0, busy: 0, bytes: 0 };

afterAll(() => {
  const { read, refused, again, busy, bytes } = counts;
  console.log(
    `${read} megabytes read, ${refused} refused, ${again} again as the first time took more than ${MS_MAX} ms`,
  );
  console.log(
    `${busy} took more by the clock in the best of ${TURNS} as well: without a core for a while, or too dear`,
  );
  console.log(`mean size ${(bytes / (read + refused)).toFixed(0)} bytes`);
  console.log(`the dearest: ${told(dearest)}`);
});

test.skipIf(only !== undefined)(`the dearest that are known take ${MS_MAX} ms at most`, () => {
  const tooDear: string[] = [];
  for (const [what, bytes] of DEAREST) {
    const body = bytes();
    for (const codec of ['messages', 'grouped', 'rows', 'columns'] as const) {
      tooDear.push(...look(`${what} in codec '${codec}'`, { codec, count: 4_096, body }));
    }
  }
  expect(tooDear).toEqual([]);
});

test(`so does each of ${only === undefined ? seeds : 'one'} made from seeds`, async () => {
  const tooDear: string[] = [];
  const first = only === undefined ? 1 : Number(only);
  const last = only === undefined ? seeds : first;
  for (let seed = first; seed <= last; seed++) {
    const frame = hostileFrame(new Chance(seed));
    expect(frame.body.length).toBeLessThanOrEqual(MEGABYTE);
    tooDear.push(...look(`seed ${seed}: ${frame.kind}`, frame));
    // Whoever runs this hears from it.
    if (seed % 50 === 0) await setImmediate();
  }
  expect(tooDear).toEqual([]);
});

/** Reads a frame; what is to be said of it where it takes too long. */
function look(what: string, frame: PackedFrame): string[] {
  counts.bytes += frame.body.length;
  const first = timed(frame);
  counts[first.error === null ? 'read' : 'refused']++;
  const times: Time[] = [first];
  // What the first one leaves to be collected and compiled, and a core that was taken away, are no price of these bytes.
  if (first.wallMs > MS_MAX) {
    counts.again++;
    while (times.length < TURNS) times.push(timed(frame));
  }
  const wallMs = Math.min(...times.map((time) => time.wallMs));
  const coreMs = Math.min(...times.map((time) => time.coreMs));
  const dear: Dear = { what, wallMs, coreMs };
  if (coreMs > dearest.coreMs) dearest = dear;
  if (wallMs > MS_MAX) counts.busy++;
  // A busy machine takes cores away: that is no price of these bytes either.
  return Math.min(wallMs, coreMs) <= MS_MAX ? [] : [told(dear)];
}

function timed(frame: PackedFrame): Time & { readonly error: Error | null } {
  const core = coreMsOfThread();
  const began = performance.now();
  const error = thrownBy(() => expect(readFrame(frame)).toBe(frame.count));
  const wallMs = performance.now() - began;
  const coreMs = core === null ? wallMs : coreMsOfThread()! - core;
  if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
  expectNoPollution();
  return { wallMs, coreMs, error };
}

const SCHEDULED = '/proc/thread-self/schedstat';

/** Milliseconds for which this thread had a core since it began; null where the system does not tell. */
function coreMsOfThread(): number | null {
  if (!existsSync(SCHEDULED)) return null;
  return Number(readFileSync(SCHEDULED, 'utf8').split(' ')[0]) / 1e6;
}

function told({ what, wallMs, coreMs }: Dear): string {
  return `${coreMs.toFixed(0)} ms of a core, ${wallMs.toFixed(0)} ms of the clock for ${what}`;
}
