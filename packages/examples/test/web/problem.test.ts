import { actor, createSystem, Refusal, type System } from 'tidemark';
import { afterEach, describe, expect, test } from 'vitest';
import { problemOf } from '../../dist/web/problem.js';
import { fixture, testPlace } from '../support/place.ts';

const place = testPlace('problems');
const systems: System[] = [];
afterEach(async () => {
  for (const system of systems.splice(0)) await system.stop();
});

// The workers import the file that has its handlers; here its messages are enough.
const Falls = actor('falls', { state: () => ({}), on: { fall: () => undefined, stand: () => 'stands' } });

async function start(): Promise<System> {
  const system = await createSystem({
    actors: [new URL(`file://${fixture('falls.mjs')}`)],
    store: place.at('store'),
    workers: 1,
  });
  systems.push(system);
  return system;
}

const errorOf = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);

describe('an error becomes', () => {
  test('503 and a time to ask again, when the system went back', async () => {
    const system = await start();
    const falls = system.ref(Falls, 'a');
    await system.ask(falls).stand();
    const problem = problemOf(await errorOf(system.ask(falls).fall()));
    expect(problem).toMatchObject({ status: 503, body: { code: 'ROLLED_BACK' }, headers: { 'retry-after': '1' } });
    // So it is: asked again, it is answered.
    expect(await system.ask(falls).stand()).toBe('stands');
  });

  test('503 when the system stops', async () => {
    const system = await start();
    await system.stop();
    const problem = problemOf(await errorOf(system.ask(system.ref(Falls, 'a')).stand()));
    expect(problem).toMatchObject({ status: 503, body: { code: 'SYSTEM_STOPPED' }, headers: { 'retry-after': '1' } });
  });

  test('the status that the framework gave it, where that blames the client', () => {
    const error = Object.assign(new Error('no such thing'), { statusCode: 415, code: 'THEIRS' });
    expect(problemOf(error)).toMatchObject({ status: 415, body: { code: 'THEIRS', detail: 'no such thing' } });
    expect(problemOf(Object.assign(error, { statusCode: 502 })).status).toBe(500);
  });

  test('500 without a word of what is inside, for anything else', () => {
    for (const error of [new TypeError('password of the database'), new Refusal('UNHEARD_OF', 'password')]) {
      const { status, headers, body } = problemOf(error);
      expect([status, JSON.stringify([headers, body]).includes('password')]).toEqual([500, false]);
    }
    expect(problemOf(undefined)).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
  });
});
