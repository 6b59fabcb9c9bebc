import { performance } from 'node:perf_hooks';

/** What a thread uses of the machine. */
export interface ThreadResources {
  /** Share of the time since the last look in which its event loop was at work, from 0 to 1. */
  readonly utilization: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory of objects that lie outside of the heap; array buffers are a part of it. */
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
}

/** Looks at the thread that calls it; null where the system does not tell. */
export type LookAtResources = () => ThreadResources | null;

/** Resources of this thread; each look begins a new stretch of time. */
export function resourcesOfThread(): LookAtResources {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    try {
      const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
      return {
        // There is no share of no time.
        utilization: Number.isFinite(utilization) ? utilization : 0,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
        arrayBuffersBytes: arrayBuffers,
      };
    } catch {
      return null;
    }
  };
}
