import type { System } from '@tidemark/checkpoint';
import { homeOfGroup, keyGroup, unpackMessages } from '@tidemark/actors/internal';
import { describe, expect, test } from 'vitest';
import { Echo } from '../fixtures/actors.mjs';
import { Peer } from '../fixtures/order.mjs';
import { keyAt, rollbacksOf } from './rollbacks.ts';
import { storedCheckpoints } from './stored.ts';
import { Systems } from './systems.ts';

const PEERS = 8;
const WORKERS = 3;
const actors = ['actors', 'order'].map((name) => new URL(`../fixtures/${name}.mjs`, import.meta.url));
const keys = spread();
const ask = { timeoutMs: 60_000 };

/** The million: so many numbers of every peer to every peer. */
const EACH = 1_000_000 / (PEERS * PEERS);

/** What a generation ends by, in a turn at that worker, and the code that the host hears. */
const FAULTS = [
  {
    fault: 'a throw',
    worker: 1,
    code: 'TURN_THREW',
    happen: (system: System, key: string) => system.tell(system.ref(Echo, key)).fail('broken'),
  },
  {
    fault: 'the death of a thread',
    worker: 2,
    code: 'WORKER_LOST',
    happen: (system: System, key: string) => system.tell(system.ref(Echo, key)).exit(0),
  },
] as const;

/** A3, A9: no message overtakes another of the same sender to the same receiver, and none is lost or comes twice. */
export function order({ eachOverFaults }: { readonly eachOverFaults: number }): void {
  const systems = new Systems();
  const { rolledBack } = rollbacksOf(systems);

  describe('messages of every sender to every receiver keep their order', () => {
    test('a million among 8 actors on 3 workers', async () => {
      const system = await systems.start({ actors, workers: WORKERS });
      await send(system, EACH);
      expect(await reports(system, EACH)).toEqual(inOrder(EACH));
    });

    test.each(FAULTS.map((each) => [each.fault, each] as const))(
      'over a rollback to a checkpoint that holds many of them, after %s',
      async (_fault, { worker, code, happen }) => {
        const each = eachOverFaults;
        const store = await systems.folder();
        const system = await systems.start({ actors, workers: WORKERS, store });
        await send(system, each);
        const position = await checkpointUnderWay(system, store);
        await happen(system, keyAt('echo', worker, WORKERS));
        expect(await rolledBack()).toMatchObject({ position, code });
        expect(await reports(system, each)).toEqual(inOrder(each));
      },
    );

    test('over restores with other numbers of workers, from a checkpoint that holds many of them', async () => {
      const each = eachOverFaults;
      const store = await systems.folder();
      const system = await systems.start({ actors, workers: WORKERS, store });
      await send(system, each);
      const position = await checkpointUnderWay(system, store);
      await system.stop();
      for (const workers of [2, 5]) {
        const again = await systems.start({ actors, workers, store, from: position, acceptDuplicates: true });
        expect(await reports(again, each)).toEqual(inOrder(each));
        await again.stop();
      }
    });
  });
}

/** Takes checkpoints until one holds numbers that were on their way, in the middle of the work; answers its position. */
async function checkpointUnderWay(system: System, store: string): Promise<number> {
  const found: number[] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    const { position } = await system.checkpoint();
    const parts = (await storedCheckpoints(store)).at(-1)?.parts ?? [];
    const motion = parts.flatMap(({ mail, channels, outboxes }) => [...mail, ...channels, ...outboxes]);
    const numbers = motion.flatMap((frame) => unpackMessages(frame)).filter(({ handler }) => handler === 'take');
    if (numbers.some(({ args }) => args[1] !== 0) && numbers.length > 100) {
      process.stdout.write(`checkpoint ${position} holds ${numbers.length} messages that are under way\n`);
      return position;
    }
    found.push(numbers.length);
  }
  throw new Error(`no checkpoint held more than 100 messages under way; they held ${found.join(', ')}`);
}

/** Names of peers that live at all workers, in turn. */
function spread(): readonly string[] {
  const found: string[] = [];
  for (let n = 0; found.length < PEERS; n++) {
    if (homeOfGroup(keyGroup('peer', `p${n}`), WORKERS) === (found.length % WORKERS) + 1) found.push(`p${n}`);
  }
  return found;
}

/** Every peer sends the numbers below `each` to every peer. */
async function send(system: System, each: number): Promise<void> {
  for (const key of keys) await system.tell(system.ref(Peer, key)).send(keys, each);
}

function takenOf(all: readonly { readonly taken: number }[]): number {
  return all.reduce((sum, { taken }) => sum + taken, 0);
}

async function look(system: System): Promise<{ taken: number; wrong: number }[]> {
  return Promise.all(keys.map((key) => system.ask(system.ref(Peer, key), ask).report()));
}

/** What every peer has seen when all is taken. */
async function reports(system: System, each: number): Promise<{ taken: number; wrong: number }[]> {
  for (;;) {
    const all = await look(system);
    if (takenOf(all) >= PEERS * PEERS * each) return all;
  }
}

function inOrder(each: number): { taken: number; wrong: number }[] {
  return keys.map(() => ({ taken: PEERS * each, wrong: 0 }));
}
