import { actor, main } from 'tidemark';

/** Counts greetings for each name. The state is in every checkpoint: start it again, and it goes on counting. */
export const Greeter = actor('greeter', {
  state: () => ({ greetings: 0 }),
  on: {
    greet(ctx) {
      ctx.state.greetings++;
      return `Hello ${ctx.key}, for the ${ctx.state.greetings}. time`;
    },
  },
});

await main(import.meta, { store: '.tidemark/greeter' }, async (system) => {
  for (const name of ['Ada', 'Grace', 'Barbara']) {
    console.log(await system.ask(system.ref(Greeter, name)).greet());
  }
});
