/** How often `run` makes code from text. */
export function functionsMade(run: () => void): number {
  const original = globalThis.Function;
  let made = 0;
  globalThis.Function = new Proxy(original, {
    construct(target, args: string[]) {
      made++;
      return new target(...args);
    },
  });
  try {
    run();
  } finally {
    globalThis.Function = original;
  }
  return made;
}
