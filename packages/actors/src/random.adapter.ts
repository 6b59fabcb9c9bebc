/** Chance of this process, in [0, 1). */
export const systemRandom = (): number => Math.random();
