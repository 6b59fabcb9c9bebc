import type { Server } from 'node:http';

/** Milliseconds between looks for connections that have become idle. */
const SWEEP_MS = 50;

/** Takes no more connections, answers what is under way, and closes those that clients only keep open. */
export async function closeServer(server: Server): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(sweep);
}
