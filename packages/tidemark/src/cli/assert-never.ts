/**
 * For the `default` of a switch over a union: a forgotten case does not compile. A copy of the one in
 * `@tidemark/actors`, which the supervisor parent must not load: it has to be back within milliseconds.
 */
export function assertNever(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
