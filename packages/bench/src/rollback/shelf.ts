import { actor, table } from 'tidemark';

/** Rows of a size, and ways to die: by a throw, and with the thread. */
export const Shelf = actor('bench.shelf', {
  state: () => ({ rows: table<number, { readonly n: number; readonly text: string }>() }),
  on: {
    fill(ctx, rows: number, bytes: number): void {
      const text = 'x'.repeat(Math.max(1, bytes - 16));
      for (let n = 0; n < rows; n++) ctx.state.rows.set(n, { n, text });
    },
    look: (ctx, n: number): number => ctx.state.rows.get(n)?.n ?? -1,
    fail(): void {
      throw new Error('broken on purpose');
    },
    exit(): void {
      process.exit(0);
    },
  },
});
