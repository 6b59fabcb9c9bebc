import type { System } from 'tidemark';

/**
 * Resolves on SIGTERM or SIGINT: the app's own decision, since the system installs no signal handlers. Rejects when the system
 * cannot go on. A second signal ends the process at once.
 */
export async function untilToldToStop(system: System): Promise<void> {
  const told = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await Promise.race([told, system.done]);
}
