import { createSystem, type Ref, type System } from 'tidemark';
import { Driver, Maker, Sink } from './bodies.ts';
import type { Contender } from './contender.ts';
import { BURST, small } from './small.ts';

const ACTORS = 1_000_000;
const TIMEOUT_MS = 120_000;

export async function tidemark(): Promise<Contender> {
  const system = await start(2);
  const sink = system.ref(Sink, '0');
  const home = await system.ask(sink).thread();
  const beside = await driverAt(system, (thread) => thread === home);
  const away = await driverAt(system, (thread) => thread !== home);
  return {
    name: 'tidemark',
    inThread: (count) => pour(system, beside, sink, count),
    between: (count) => pour(system, away, sink, count),
    async fromHost(count) {
      await system.tell(sink).begin(null);
      const began = performance.now();
      for (let sent = 0; sent < count; sent += BURST) {
        const room: Promise<void>[] = [];
        for (let i = 0; i < BURST; i++) room.push(system.tell(sink).take(small(0)));
        await Promise.all(room);
      }
      const taken = await system.ask(sink, { timeoutMs: TIMEOUT_MS }).taken();
      if (taken !== count) throw new Error(`${taken} of ${count} messages were taken`);
      return (count * 1000) / (performance.now() - began);
    },
    ask: (id) => system.ask(sink).echo(small(id)),
    bytesPerActor,
    stop: () => system.stop(),
  };
}

function start(workers: number): Promise<System> {
  return createSystem({ actors: [new URL('./bodies.js', import.meta.url)], workers, schedule: '1h' });
}

async function driverAt(system: System, good: (thread: number) => boolean): Promise<Ref<typeof Driver>> {
  for (let key = 0; ; key++) {
    const driver = system.ref(Driver, String(key));
    if (good(await system.ask(driver).thread())) return driver;
  }
}

async function pour(
  system: System,
  driver: Ref<typeof Driver>,
  sink: Ref<typeof Sink>,
  count: number,
): Promise<number> {
  await system.tell(driver).run(sink, count);
  for (;;) {
    const seconds = await system.ask(driver, { timeoutMs: TIMEOUT_MS }).seconds();
    if (seconds > 0) return count / seconds;
    // A look now and then does not disturb.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In a system of its own, with one worker. */
async function bytesPerActor(): Promise<{ readonly actors: number; readonly bytes: number }> {
  const system = await start(1);
  try {
    const maker = system.ref(Maker, 'maker');
    const ask = { timeoutMs: TIMEOUT_MS };
    const before = await system.ask(maker, ask).heap();
    await system.tell(maker).make(ACTORS);
    while ((await system.ask(maker, ask).made()) < ACTORS) await new Promise((resolve) => setTimeout(resolve, 50));
    // Its last messages are before this one in the thread.
    const after = await system.ask(maker, ask).heap();
    return { actors: ACTORS, bytes: (after - before) / ACTORS };
  } finally {
    await system.stop();
  }
}
