import type { Server } from 'node:http';

/** Milliseconds between looks for connections that have become idle. */
const SWEEP_MS = 50;

/**
 * Closes a server by its framework's `close`, which waits for what is under way. A client keeps its connection open after the
 * last answer, for a minute and more: those are closed as soon as they are idle.
 */
export async function closeServer(server: Server, close: () => PromiseLike<unknown>): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  try {
    await close();
  } finally {
    clearInterval(sweep);
  }
}
