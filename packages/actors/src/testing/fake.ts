import { services } from '../definition.ts';
import type { AnyService, Messages, Service, ServiceCtx, ServiceHandler } from '../types.ts';
import type { AnswerOf, ArgsOf } from './types.ts';

/** Handlers that stand in for those of a service: the same arguments, and the same answer or a promise of it. */
export type FakeHandlers<H> = {
  readonly [K in keyof Messages<Service<H>>]?: (
    ctx: ServiceCtx,
    ...args: ArgsOf<Service<H>, K>
  ) => AnswerOf<Service<H>, K> | Promise<AnswerOf<Service<H>, K>>;
};

/** A service as a test system has it. */
export interface Fake {
  readonly service: AnyService;
}

/**
 * A service that does in a test something else than in life; handlers that are left out stay as they are.
 *
 * @example testSystem({ services: [fake(Pages, { load: (ctx, url) => `text of ${url}` })] });
 */
export function fake<H extends Record<string, ServiceHandler>>(service: Service<H>, on: FakeHandlers<H>): Fake {
  return { service: { ...service, on: { ...service.on, ...(on as Partial<Record<string, ServiceHandler>>) } as H } };
}

/** Puts fakes in the place of what they stand for while `run` runs: nothing of it awaits. */
export function withFakes<T>(fakes: readonly Fake[], run: () => T): T {
  const known = services();
  const real = fakes.map(({ service }) => [service.name, known.get(service.name)] as const);
  for (const { service } of fakes) known.set(service.name, service);
  try {
    return run();
  } finally {
    for (const [name, service] of real) if (service !== undefined) known.set(name, service);
  }
}
