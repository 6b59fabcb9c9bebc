import { installService, type ServiceKind } from '../../../../scripts/services/service.mjs';

export { type Service, type ServiceKind, startService } from '../../../../scripts/services/service.mjs';

/**
 * Why tests with this server cannot run on this machine, or null when they can. Where tests must run (`CI=true`) it throws
 * instead: there, nothing is skipped. The first use installs the server, which takes minutes.
 */
export async function whyNot(kind: ServiceKind): Promise<string | null> {
  try {
    await installService(kind);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env['CI'] === 'true') throw new Error(`${kind} is required here: ${reason}`, { cause: error });
    return reason;
  }
}
