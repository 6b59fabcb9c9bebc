/** What `run` throws; null when it throws nothing. */
export function thrownBy(run: () => unknown): Error | null {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  return null;
}
