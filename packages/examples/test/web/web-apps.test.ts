import { createSystem } from 'tidemark';
import { afterEach, describe, expect, test } from 'vitest';
import { testPlace } from '../support/place.ts';
import { WebServer } from '../support/web-server.ts';

const place = testPlace('web');
const running: WebServer[] = [];
let stores = 0;

afterEach(async () => {
  for (const server of running.splice(0)) await server.end('SIGKILL');
});

async function start(app: string, env: NodeJS.ProcessEnv = {}): Promise<WebServer> {
  const server = await WebServer.start(app, { STORE: place.at(`store-${stores++}`), ...env });
  running.push(server);
  return server;
}

const visitsOf = async (server: WebServer, name: string): Promise<unknown> =>
  (await server.get(`/users/${name}/visits`)).body['visits'];

describe.each(['fastify-app', 'express-app'])('%s', (app) => {
  test('answers', async () => {
    const server = await start(app);
    expect(await server.post('/users/ada/visits')).toMatchObject({ status: 200, body: { name: 'ada', visits: 1 } });
    expect(await server.post('/users/ada/visits')).toMatchObject({ status: 200, body: { name: 'ada', visits: 2 } });
    expect(await server.get('/users/ada/visits')).toMatchObject({ status: 200, body: { name: 'ada', visits: 2 } });
    expect(await server.get('/users/grace/visits')).toMatchObject({ status: 200, body: { visits: 0 } });
    expect(await server.get('/primes/1000000')).toMatchObject({ status: 200, body: { primes: 78_498 } });
    const inside = (await server.get('/inside')).body;
    expect(inside['messages']).toMatchObject({ sent: 4, handled: 4, waiting: 0 });
  });

  test('tells what is wrong by the status', async () => {
    const server = await start(app, { ASK_MS: '1' });
    await server.post('/users/ada/visits');
    expect(await server.post('/users/ada/visits?before=1')).toMatchObject({ status: 200, body: { visits: 2 } });
    const refused = await server.post('/users/ada/visits?before=1');
    expect(refused).toMatchObject({ status: 409, body: { code: 'VISITS_DIFFER', detail: 'ada has 2 visits, not 1' } });
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await visitsOf(server, 'ada')).toBe(2);
    await server.post('/users/ada/visits', 'once');
    expect(await server.post('/users/ada/visits', 'once')).toMatchObject({ status: 200, body: { visits: 3 } });
    const reused = await server.post('/users/ada/visits?before=3', 'once');
    expect(reused).toMatchObject({ status: 409, body: { code: 'REQUEST_ID_REUSED' } });
    expect(await server.get('/users/%2F/visits')).toMatchObject({ status: 400, body: { code: 'NAME_INVALID' } });
    expect(await server.get('/users/%/visits')).toMatchObject({ status: 400 });
    expect(await server.get('/primes/20000000')).toMatchObject({ status: 504, body: { code: 'ASK_TIMEOUT' } });
    expect(server.stderr).toBe('');
  });

  test('counts a thousand visits at once, each of them', async () => {
    const server = await start(app);
    const names = Array.from({ length: 50 }, (_, index) => `user-${index}`);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => server.post(`/users/${names[index % names.length]}/visits`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(1_000).fill(200));
    for (const name of names) {
      const seen = answers.filter(({ body }) => body['name'] === name).map(({ body }) => body['visits']);
      expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(await visitsOf(server, name)).toBe(20);
    }
  });

  test('answers other requests while all its threads compute', async () => {
    const server = await start(app);
    let computed = 0;
    const computing = Array.from({ length: 8 }, async () => {
      const { body } = await server.get('/primes/10000000');
      computed++;
      return body['primes'];
    });
    for (let i = 0; i < 20; i++) expect(await server.get('/health')).toMatchObject({ body: { status: 'ok' } });
    // A server that computes itself would have computed all before it answered the first of these.
    expect(computed).toBeLessThan(8);
    expect(await Promise.all(computing)).toEqual(new Array(8).fill(664_579));
  });

  test('has every visit that it has answered after kill -9, and counts what is asked again once', async () => {
    const store = place.at(`${app}-killed`);
    const visits = Array.from({ length: 300 }, (_, index) => ({ name: `user-${index % 7}`, key: `visit-${index}` }));
    const first = await start(app, { STORE: store });
    let answered = 0;
    const enough = new Promise<void>((resolve) => {
      const waiting = [...visits];
      const client = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          await first.post(`/users/${next.name}/visits`, next.key);
          if (++answered === 100) resolve();
        }
      };
      // Killed, it gives no answer.
      for (let i = 0; i < 40; i++) client().catch(() => undefined);
    });
    await enough;
    const known = answered;
    expect(await first.end('SIGKILL')).toEqual({ status: null, signal: 'SIGKILL' });

    const second = await start(app, { STORE: store });
    const names = [...new Set(visits.map(({ name }) => name))];
    const counted = async (): Promise<number> => {
      const all = await Promise.all(names.map((name) => visitsOf(second, name)));
      return all.reduce<number>((sum, count) => sum + Number(count), 0);
    };
    expect(await counted()).toBeGreaterThanOrEqual(known);
    const again = await Promise.all(visits.map(({ name, key }) => second.post(`/users/${name}/visits`, key)));
    expect(again.map(({ status }) => status)).toEqual(new Array(300).fill(200));
    expect(await counted()).toBe(300);
  });

  test('ends by itself on SIGTERM, when what is under way is answered, with a last checkpoint', async () => {
    const store = place.at(`${app}-stopped`);
    const first = await start(app, { STORE: store });
    const computing = first.get('/primes/20000000');
    await first.post('/users/ada/visits');
    // The answer to what came later is here, so the server has the one before it.
    const ended = first.end('SIGTERM');
    expect(await computing).toMatchObject({ status: 200, body: { primes: 1_270_607 } });
    expect([await ended, first.stderr]).toEqual([{ status: 0, signal: null }, '']);
    const second = await start(app, { STORE: store });
    expect(await visitsOf(second, 'ada')).toBe(1);
  });

  test('ends with the reason when its system cannot go on', async () => {
    const store = place.at(`${app}-taken`);
    const server = await start(app, { STORE: store });
    await server.post('/users/ada/visits');
    const web = new URL('../../dist/web/', import.meta.url);
    const actors = [new URL('visitor.js', web), new URL('primes.js', web)];
    const other = await createSystem({ actors, store, ifRunning: 'take-over' });
    const { status } = await server.ended;
    expect(status).toBe(1);
    expect(server.stderr).toContain("code: 'FENCED'");
    await other.stop();
  });
});
