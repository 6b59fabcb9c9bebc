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

  test.each([
    ['version 0', { version: 0 }, /version 0; expected a whole number from 1/],
    ['version 1.5', { version: 1.5 }, /version 1\.5; expected/],
    [
      'a step from its own version',
      { version: 2, migrate: { 2: () => ({}) } },
      /migrates from '2'; expected a version from 1 to 1/,
    ],
    ['a step from version 0', { version: 2, migrate: { 0: () => ({}) } }, /migrates from '0'/],
    [
      'a step of messages without a version',
      { migrateMessage: { 1: () => null } },
      /expected none, as its version is 1/,
    ],
  ])('DEFINITION_INVALID: %s', (_, options, message) => {
    expect(() => actor('stepped', { state: () => ({}), on: {}, ...options })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID', message: expect.stringMatching(message) }),
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
