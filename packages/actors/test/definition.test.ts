import { actor, type AnyActor, type Ctx } from '@tidemark/actors';
import { definitions } from '@tidemark/actors/internal';
import { describe, expect, test } from 'vitest';
import './support/keeper.ts';
import { Threads } from './support/threads.ts';

describe('a definition', () => {
  test.each(['send', 'to', 'constructor', 'toString', 'valueOf'])('may have a handler named %s', async (name) => {
    const threads = new Threads(3).go();
    const on: Record<string, (ctx: Ctx<{ got: number[] }>, n: number) => unknown> = {
      [name]: (ctx, n) => ctx.state.got.push(n),
    };
    const Named: AnyActor = actor(`named-${name}`, {
      state: () => ({ got: [] as number[] }),
      on: on as Record<string, () => number>,
    });
    const asks = threads.ask(Named) as Record<string, (n: number) => Promise<unknown>>;
    expect([await threads.answerOf(asks[name](5)), await threads.answerOf(asks[name](5))]).toEqual([1, 2]);
  });

  test.each(['', '1st', 'with space', 'ä', 'x'.repeat(129)])('DEFINITION_INVALID: the name %j', (name) => {
    expect(() => actor(name, { state: () => ({}), on: {} })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID' }),
    );
  });

  test('DEFINITION_CLASH: two actors of one name with other handlers', () => {
    expect(() => actor('keeper', { state: () => ({}), on: { other: () => undefined } })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_CLASH' }),
    );
  });

  test('made again with the same handlers replaces the older one: a module may be loaded twice', () => {
    const make = () => actor('twice', { state: () => ({}), on: { run: () => undefined } });
    const [first, second] = [make(), make()];
    expect(definitions().get('twice')).toBe(second);
    expect(second).not.toBe(first);
  });

  test('DEFINITION_UNKNOWN: nobody can send to what is defined nowhere', () => {
    expect(() => new Threads(1).border.tell({ type: 'nowhere', key: 'a' })).toThrow(
      expect.objectContaining({
        code: 'DEFINITION_UNKNOWN',
        message: expect.stringContaining("no actor is named 'nowhere' here (defined: "),
      }),
    );
  });
});
