import type { CaptureSink, Runtime } from '@tidemark/actors/internal';

/** How many units each table of a thread's actors has, as a cut would find it now. */
export function unitsByTable(runtime: Runtime): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  const sink: CaptureSink = {
    unit: (_type, _key, table) => void (found[table] = (found[table] ?? 0) + 1),
    gone: () => undefined,
    passing: () => undefined,
    mail: () => undefined,
    batch: () => undefined,
    settle: () => undefined,
  };
  runtime.cut.begin(runtime.cut.cut + 1, 0, sink);
  for (const _ of runtime.captureUnits());
  runtime.cut.end();
  return found;
}
