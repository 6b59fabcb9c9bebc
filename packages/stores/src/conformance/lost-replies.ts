import assert from 'node:assert/strict';
import { StoreError } from '../errors.ts';
import type { Store } from '../store.ts';
import { RACERS, bytesOf, holds, rejectsWith } from './tools.ts';

/** A store between which and its place replies can be lost. */
export interface LossyStore {
  readonly store: Store;
  /** From now on, the next write is done and its reply does not come; what follows is well again. */
  readonly loseReply: () => void;
}

/** What a store makes of a write that was done and of which no reply came: it finds out, or says that it does not know. */
export const LOST_REPLIES: Readonly<Record<string, (lossy: LossyStore) => Promise<void>>> = {
  'lost reply: putIfAbsent never says "taken" of its own object, nor that nothing was done': async ({
    store,
    loseReply,
  }) => {
    for (let position = 1; position <= 5; position++) {
      const name = `log/${position}`;
      loseReply();
      const answer = await known(store.putIfAbsent(name, bytesOf(name)));
      assert.ok(answer === 'stored' || answer === 'lost', `${answer} for ${name}`);
      await holds(store, name, bytesOf(name));
      assert.equal(await store.putIfAbsent(name, bytesOf('another')), 'taken');
      await holds(store, name, bytesOf(name));
    }
  },

  'lost reply: put never says that its own object is in the way': async ({ store, loseReply }) => {
    loseReply();
    const answer = await known(store.put('part/1', bytesOf('part')).then(() => 'stored'));
    assert.ok(answer === 'stored' || answer === 'lost', answer);
    await holds(store, 'part/1', bytesOf('part'));
    await rejectsWith(store.put('part/1', bytesOf('another')), 'STORE_NAME_TAKEN');
  },

  'lost reply: of racers, one of which hears nothing, at most one wins': async ({ store, loseReply }) => {
    loseReply();
    const racers = Array.from({ length: RACERS }, (_, racer) =>
      known(store.putIfAbsent('race', bytesOf(`racer ${racer}`))),
    );
    const answers = await Promise.all(racers);
    const winners = answers.flatMap((answer, racer) => (answer === 'stored' ? [racer] : []));
    assert.ok(winners.length <= 1, `winners ${winners.join(', ')}`);
    const mayHold =
      winners.length === 1 ? winners : answers.flatMap((answer, racer) => (answer === 'lost' ? [racer] : []));
    const held = new TextDecoder().decode(await store.get('race'));
    assert.ok(
      mayHold.some((racer) => held === `racer ${racer}`),
      `${held} is there, of ${mayHold.join(', ')}`,
    );
  },

  'lost reply: replace and delete are done, or say that they do not know': async ({ store, loseReply }) => {
    loseReply();
    assert.match(await known(store.replace('owner.json', bytesOf('{}')).then(() => 'done')), /^(?:done|lost)$/);
    await holds(store, 'owner.json', bytesOf('{}'));
    loseReply();
    assert.match(await known(store.delete('owner.json').then(() => 'done')), /^(?:done|lost)$/);
    await rejectsWith(store.get('owner.json'), 'STORE_ABSENT');
  },
};

/** The answer of a call, or the kind of its error. */
async function known(call: Promise<string>): Promise<string> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}
