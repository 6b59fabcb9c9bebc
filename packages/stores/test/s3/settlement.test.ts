import { StoreError } from '@tidemark/stores';
import { settle } from '@tidemark/stores/internal';
import { array, assert, asyncProperty, nat } from 'fast-check';
import { describe, expect, test } from 'vitest';

type Settling = Parameters<typeof settle>[0];
type Attempt = Awaited<ReturnType<Settling['attempt']>>;
type Holder = Awaited<ReturnType<Settling['holder']>>;

const stored: Attempt = { outcome: 'stored' };
const refused: Attempt = { outcome: 'refused' };
const busy = new StoreError('retry', 'STORE_BUSY', 'busy');
const denied = new StoreError('denied', 'STORE_DENIED', 'denied');
const unknown = new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', 'no answer');
const aborted = new StoreError('lost', 'STORE_ABORTED', 'aborted on its way');
const nothing = (error: StoreError): Attempt => ({ outcome: 'nothing-done', error });
const answered = (error: StoreError): Attempt => ({ outcome: 'answered', error });
const unanswered = (error = unknown): Attempt => ({ outcome: 'unanswered', error });

describe('what became of a put is settled', () => {
  interface Row {
    readonly what: string;
    readonly attempts: readonly Attempt[];
    readonly holders?: readonly Holder[];
    readonly again?: boolean;
    readonly comesTo: 'stored' | 'taken' | { readonly kind: string; readonly code: string };
  }
  const lost = { kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' };
  const rows: readonly Row[] = [
    { what: 'stored at once', attempts: [stored], comesTo: 'stored' },
    { what: "refused, and somebody else's is there", attempts: [refused], holders: ['other'], comesTo: 'taken' },
    {
      what: 'refused, and it is our own (somebody repeated it)',
      attempts: [refused],
      holders: ['ours'],
      comesTo: 'stored',
    },
    {
      what: 'refused, and gone',
      attempts: [refused],
      holders: ['nobody'],
      comesTo: { kind: 'retry', code: 'STORE_BUSY' },
    },
    { what: 'refused, and nobody can be asked', attempts: [refused], holders: [busy], comesTo: lost },
    { what: 'nothing done', attempts: [nothing(busy)], comesTo: { kind: 'retry', code: 'STORE_BUSY' } },
    { what: 'denied', attempts: [nothing(denied)], comesTo: { kind: 'denied', code: 'STORE_DENIED' } },
    { what: 'failed, and stored all the same', attempts: [answered(busy)], holders: ['ours'], comesTo: 'stored' },
    { what: "failed, and somebody else's is there", attempts: [answered(busy)], holders: ['other'], comesTo: 'taken' },
    {
      what: 'failed, and not there',
      attempts: [answered(busy)],
      holders: ['nobody'],
      comesTo: { kind: 'retry', code: 'STORE_BUSY' },
    },
    { what: 'failed, and nobody can be asked', attempts: [answered(busy)], holders: [denied], comesTo: lost },
    { what: 'no answer, and stored', attempts: [unanswered()], holders: ['ours'], comesTo: 'stored' },
    { what: "no answer, and somebody else's", attempts: [unanswered()], holders: ['other'], comesTo: 'taken' },
    { what: 'no answer, and nobody can be asked', attempts: [unanswered()], holders: [busy], comesTo: lost },
    {
      what: 'no answer, not there, no time',
      attempts: [unanswered()],
      holders: ['nobody'],
      again: false,
      comesTo: lost,
    },
    {
      what: 'no answer, not there, then stored',
      attempts: [unanswered(), stored],
      holders: ['nobody'],
      comesTo: 'stored',
    },
    {
      what: 'no answer, not there, then our own is in the way',
      attempts: [unanswered(), refused],
      holders: ['nobody', 'ours'],
      comesTo: 'stored',
    },
    {
      what: 'no answer, not there, then another was faster',
      attempts: [unanswered(), refused],
      holders: ['nobody', 'other'],
      comesTo: 'taken',
    },
    {
      what: 'no answer, not there, then there and gone',
      attempts: [unanswered(), refused],
      holders: ['nobody', 'nobody'],
      comesTo: lost,
    },
    {
      what: 'no answer, then busy, then stored',
      attempts: [unanswered(), nothing(busy), stored],
      holders: ['nobody', 'nobody'],
      comesTo: 'stored',
    },
    {
      what: 'no answer, then busy until the end',
      attempts: [unanswered(), nothing(busy)],
      holders: ['nobody', 'nobody'],
      again: false,
      comesTo: lost,
    },
    { what: 'aborted on its way', attempts: [unanswered(aborted)], comesTo: lost },
  ];

  test.each(rows)('$what', async ({ attempts, holders = [], again = true, comesTo }) => {
    const left = { attempts: [...attempts], holders: [...holders] };
    const outcome = settle({
      attempt: async () => left.attempts.shift() ?? expect.unreachable('one attempt too many'),
      holder: async () => left.holders.shift() ?? expect.unreachable('asked once too often'),
      again: async () => again,
      lost: (because) => new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', because.message),
      vanished: () => busy,
    });
    if (typeof comesTo === 'string') expect(await outcome).toBe(comesTo);
    else await expect(outcome).rejects.toMatchObject(comesTo);
    if (again) expect(left).toEqual({ attempts: [], holders: [] });
  });
});

/**
 * A server with one name, on a way that loses requests and answers, delays requests, and on which a rival puts and somebody
 * deletes. Every step of it is drawn.
 */
class World {
  holds: 'ours' | 'other' | 'nobody' = 'nobody';
  /** All that the name ever showed. */
  readonly history = new Set<string>();
  /** Requests of ours that are still on their way. */
  delayed = 0;
  attempts = 0;
  deletions = 0;
  /** The server refused us and then showed nobody. */
  sawItGo = false;
  attemptsAfterThat = 0;
  #wasRefused = false;

  readonly #draw: () => number;

  constructor(draws: readonly number[]) {
    let next = 0;
    this.#draw = () => draws[next++ % draws.length] ?? 0;
  }

  /** Others act, and delayed requests arrive, before each step of ours. */
  pass(): void {
    const dice = this.#draw() % 8;
    if (dice === 0 && this.holds === 'nobody') this.show('other');
    if (dice === 1 && this.holds !== 'nobody') {
      this.holds = 'nobody';
      this.deletions++;
    }
    if (dice === 2 && this.delayed > 0) {
      this.delayed--;
      this.arrive();
    }
  }

  attempt(): Attempt {
    this.pass();
    this.attempts++;
    if (this.sawItGo) this.attemptsAfterThat++;
    this.#wasRefused = false;
    switch (this.#draw() % 8) {
      case 0:
        return nothing(busy);
      case 1:
        return unanswered();
      case 2:
        this.delayed++;
        return unanswered();
      case 3:
        this.arrive();
        return unanswered();
      case 4:
        this.arrive();
        return answered(busy);
      case 5:
        return answered(busy);
      default:
        return this.arrive() ? stored : this.#refuse();
    }
  }

  holder(): Holder {
    this.pass();
    if (this.#draw() % 6 === 0) return busy;
    if (this.#wasRefused && this.holds === 'nobody') this.sawItGo = true;
    return this.holds;
  }

  arrive(): boolean {
    if (this.holds !== 'nobody') return false;
    this.show('ours');
    return true;
  }

  show(whose: 'ours' | 'other'): void {
    this.holds = whose;
    this.history.add(whose);
  }

  #refuse(): Attempt {
    this.#wasRefused = true;
    return refused;
  }
}

test('on any way, with any rivals, an answer is true (P1 to P4)', async () => {
  const met = new Set<string>();
  await assert(
    asyncProperty(array(nat(1_000), { minLength: 1, maxLength: 60 }), async (draws) => {
      const world = new World(draws);
      const outcome = await settle({
        attempt: async () => world.attempt(),
        holder: async () => world.holder(),
        again: async () => world.attempts < 4,
        lost: (because) => new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', because.message),
        vanished: () => busy,
      }).catch((error: unknown) => (error instanceof StoreError ? error : Promise.reject(error)));
      met.add(outcome instanceof StoreError ? outcome.kind : outcome);
      if (outcome === 'stored') expect(world.history).toContain('ours');
      else if (outcome === 'taken') expect(world.history).toContain('other');
      else if (outcome.kind !== 'lost') {
        expect(world.holds).not.toBe('ours');
        expect(world.history.has('ours') && world.deletions === 0).toBe(false);
        expect(world.delayed).toBe(0);
      }
      if (outcome === 'taken' && world.deletions === 0) {
        while (world.delayed-- > 0) world.arrive();
        expect(world.history).not.toContain('ours');
      }
      expect(world.attemptsAfterThat).toBe(0);
    }),
    { numRuns: 5_000 },
  );
  expect([...met].sort()).toEqual(['lost', 'retry', 'stored', 'taken']);
});
