import Fastify from 'fastify';
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
const app = Fastify();
try {
  let checkpoint: number | null = null;
  system.on('checkpoint', ({ position }) => (checkpoint = position));

  app.post<Named>('/users/:name/visits', async ({ params, query, headers }) => {
    const name = nameOf(params.name);
    const visitor = system.ask(system.ref(Visitor, name), askOf(headers['idempotency-key']));
    return { name, visits: await visitor.visit(beforeOf(query.before)) };
  });
  app.get<Named>('/users/:name/visits', async ({ params }) => {
    const name = nameOf(params.name);
    return { name, visits: await system.ask(system.ref(Visitor, name)).visits() };
  });
  app.get<Limited>('/primes/:limit', async ({ params }) => {
    const limit = Number(params.limit);
    return { limit, primes: await system.ask(Primes, { timeoutMs: Number(ASK_MS) }).below(limit) };
  });
  app.get('/health', () => ({ status: 'ok', checkpoint }));
  app.get('/inside', () => system.inspect());
  app.setErrorHandler((error, _request, reply) => {
    const { status, headers, body } = problemOf(error);
    if (status === 500) console.error(error);
    return reply.code(status).headers(headers).send(body);
  });

  console.log(`listening on ${await app.listen({ host: HOST, port: Number(PORT) })}`);
  await untilToldToStop(system);
} finally {
  // First no more requests, then the last checkpoint.
  await closeServer(app.server, () => app.close());
  await system.stop();
}

interface Named {
  readonly Params: { readonly name: string };
  readonly Querystring: { readonly before?: string };
}

interface Limited {
  readonly Params: { readonly limit: string };
}
