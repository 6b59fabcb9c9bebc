import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import express, { type NextFunction, type Request, type Response } from 'express';
import { createSystem } from 'tidemark';
import { closeServer } from './close-server.ts';
import { untilToldToStop } from './life.ts';
import { Primes } from './primes.ts';
import { problemOf } from './problem.ts';
import { askOf, beforeOf, nameOf } from './requests.ts';
import { Visitor } from './visitor.ts';

const { HOST = 'localhost', PORT = '3000', STORE = '.tidemark/web', ASK_MS = '10000' } = process.env;

const system = await createSystem({
  actors: [new URL('./visitor.ts', import.meta.url), new URL('./primes.ts', import.meta.url)],
  store: STORE,
  // As long as a visit waits for its answer at most.
  schedule: '100ms',
});
try {
  let checkpoint: number | null = null;
  system.on('checkpoint', ({ position }) => (checkpoint = position));
  const app = express();

  app.post('/users/:name/visits', async ({ params, query, headers }, response) => {
    const name = nameOf(params.name);
    const visitor = system.ask(system.ref(Visitor, name), askOf(headers['idempotency-key']));
    response.json({ name, visits: await visitor.visit(beforeOf(query['before'])) });
  });
  app.get('/users/:name/visits', async ({ params }, response) => {
    const name = nameOf(params.name);
    response.json({ name, visits: await system.ask(system.ref(Visitor, name)).visits() });
  });
  app.get('/primes/:limit', async ({ params }, response) => {
    const limit = Number(params.limit);
    response.json({ limit, primes: await system.ask(Primes, { timeoutMs: Number(ASK_MS) }).below(limit) });
  });
  app.get('/health', (_request, response) => void response.json({ status: 'ok', checkpoint }));
  app.get('/inside', async (_request, response) => void response.json(await system.inspect()));
  // Express knows a handler of errors by its four parameters. What an async handler throws comes here, from version 5 on.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const { status, headers, body } = problemOf(error);
    if (status === 500) console.error(error);
    response.status(status).set(headers).json(body);
  });

  const server = app.listen(Number(PORT), HOST);
  await once(server, 'listening');
  try {
    console.log(`listening on http://${HOST}:${(server.address() as AddressInfo).port}`);
    await untilToldToStop(system);
  } finally {
    // First no more requests, then the last checkpoint.
    await closeServer(server, () => promisify(server.close.bind(server))());
  }
} finally {
  await system.stop();
}
