import assert from 'node:assert/strict';
import { RACERS, assertCode, bytesOf, holds, type Rules } from './tools.ts';

const ROUNDS = 5;

/** S3: a name is won once. */
export const PUT_IF_ABSENT: Rules = {
  'S3: putIfAbsent never overwrites': async (store) => {
    assert.equal(await store.putIfAbsent('log/1', bytesOf('first')), 'stored');
    assert.equal(await store.putIfAbsent('log/1', bytesOf('second')), 'taken');
    assert.equal(await store.putIfAbsent('log/1', bytesOf('first')), 'taken');
    await holds(store, 'log/1', bytesOf('first'));
  },

  [`S3: of ${RACERS} racers for one name exactly one wins, and its bytes are there`]: async (store) => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `race/${round}`;
      const racers = Array.from({ length: RACERS }, (_, racer) => store.putIfAbsent(name, bytesOf(`racer ${racer}`)));
      const answers = await Promise.all(racers);
      assert.equal(answers.filter((answer) => answer === 'stored').length, 1, `winners of round ${round}`);
      assert.equal(answers.filter((answer) => answer === 'taken').length, RACERS - 1);
      await holds(store, name, bytesOf(`racer ${answers.indexOf('stored')}`));
    }
  },

  'S3: of many puts for one name exactly one wins': async (store) => {
    const racers = Array.from({ length: RACERS }, (_, racer) => store.put('put-race', bytesOf(`racer ${racer}`)));
    const answers = await Promise.allSettled(racers);
    const winners = answers.flatMap((answer, racer) => (answer.status === 'fulfilled' ? [racer] : []));
    assert.equal(winners.length, 1, 'winners');
    for (const answer of answers) if (answer.status === 'rejected') assertCode(answer.reason, 'STORE_NAME_TAKEN');
    await holds(store, 'put-race', bytesOf(`racer ${winners[0]}`));
  },

  'S3: a name is free again once its object was deleted': async (store) => {
    await store.put('again', bytesOf('first'));
    await store.delete('again');
    assert.equal(await store.putIfAbsent('again', bytesOf('second')), 'stored');
    await holds(store, 'again', bytesOf('second'));
  },
};
