import Fastify from 'fastify';
import { createSystem } from 'tidemark';
import { untilToldToStop } from './life.ts';
import { Primes } from './primes.ts';
import { problemOf } from './problem.ts';
import { beforeOf, nameOf } from './requests.ts';
import { Visitor } from './visitor.ts';

const { HOST = 'localhost', PORT = '3000', STORE = '.tidemark/web', ASK_MS = '10000' } = process.env;

const system = await createSystem({
  actors: [new URL('./visitor.ts', import.meta.url), new URL('./primes.ts', import.meta.url)],
  store: STORE,
});
const app = Fastify();
try {
  let checkpoint: number | null = null;
  system.on('checkpoint', ({ position }) => (checkpoint = position));
  let requests = 0;

  app.post<Named>('/users/:name/visits', async ({ params, query }) => {
    const name = nameOf(params.name);
    return { name, visits: await system.ask(system.ref(Visitor, name)).visit(beforeOf(query.before)) };
  });
  app.get<Named>('/users/:name/visits', async ({ params }) => {
    const name = nameOf(params.name);
    return { name, visits: await system.ask(system.ref(Visitor, name)).visits() };
  });
  app.get<Limited>('/primes/:limit', async ({ params }) => {
    const limit = Number(params.limit);
    const primes = system.ref(Primes, String(requests++ % 64));
    return { limit, primes: await system.ask(primes, { timeoutMs: Number(ASK_MS) }).below(limit) };
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
  await app.close();
  await system.stop();
}

interface Named {
  readonly Params: { readonly name: string };
  readonly Querystring: { readonly before?: string };
}

interface Limited {
  readonly Params: { readonly limit: string };
}
