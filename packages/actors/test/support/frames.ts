import { copyValue, type Envelope } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { fieldName, plain } from './plain.ts';

export const number = fc.oneof(
  fc.integer(),
  fc.double().map((each) => each + 0),
  fc.constantFrom(0, Number.NaN, 2 ** 31, 2 ** 53),
);
export const text = fc.oneof(fc.constantFrom('', 'a', 'b', 'constructor'), fc.string({ unit: 'binary' }));
/** Values of one kind, as one argument of a handler is, and sometimes another among them. */
const kind: fc.Arbitrary<fc.Arbitrary<unknown>> = fc.letrec<{ kind: fc.Arbitrary<unknown> }>((tie) => ({
  kind: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom<fc.Arbitrary<unknown>>(number, fc.integer(), text, fc.boolean(), plain),
    fc.constantFrom<unknown>(null, undefined, true, 'same', 7, Number.NaN, 10n).map((value) => fc.constant(value)),
    fc
      .uniqueArray(fc.tuple(fieldName, tie('kind')), { selector: ([name]) => name, maxLength: 5 })
      .map((fields) => fc.tuple(...fields.map(([, each]) => each)).map((values) => objectOf(fields, values))),
    fc.array(tie('kind'), { maxLength: 3 }).map((items) => fc.tuple(...items)),
  ),
})).kind;
const args = fc.array(kind, { maxLength: 3 }).map((kinds) => fc.tuple(...kinds));

interface Shape {
  readonly type: string;
  readonly handler: string;
  readonly args: fc.Arbitrary<readonly unknown[]>;
}

/** Who waits for an answer, mostly nobody; and the name of a request. */
const extra: fc.Arbitrary<Pick<Envelope, 'reply' | 'requestId'>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ reply: null }) },
  fc.nat().map((ask) => ({ reply: { ask, term: 3 } })),
  fc.tuple(fc.nat(), text).map(([ask, requestId]) => ({ reply: { ask, term: 4 }, requestId })),
  fc.tuple(text, text, text).map(([call, type, key]) => ({ reply: { call, type, key } })),
);

/** Messages to a few handlers, most of which get arguments of one shape, in any order. */
export const messages: fc.Arbitrary<Envelope[]> = fc
  .array(fc.record({ type: text, handler: text, args }), { minLength: 1, maxLength: 4 })
  .chain((shapes: readonly Shape[]) =>
    fc.array(
      fc.tuple(fc.nat(shapes.length - 1), text, extra, fc.nat(30)).chain(([of, key, more, odd]) =>
        (odd === 0 ? fc.array(plain, { maxLength: 2 }) : shapes[of].args).map((each): Envelope => {
          const { type, handler } = shapes[of];
          return { type, key, handler, args: each.map((value) => copyValue(value, 'v')), ...more };
        }),
      ),
      { minLength: 1, maxLength: 90, size: 'max' },
    ),
  );

function objectOf(fields: readonly (readonly [string, unknown])[], values: readonly unknown[]): unknown {
  return Object.fromEntries(fields.map(([name], i) => [name, values[i]]));
}
