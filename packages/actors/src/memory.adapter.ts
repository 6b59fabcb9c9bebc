import { createRequire } from 'node:module';
import { getHeapStatistics } from 'node:v8';
import type * as Inspector from 'node:inspector';
import { MEMORY_LOOK_MS } from './limits.ts';
import { MemoryBudget, type MemoryFigures } from './memory.ts';

const require = createRequire(import.meta.url);

/**
 * Holds this thread to its budget until the returned function is called. What is over it is thrown where nobody catches
 * it: so the thread ends, and its caches with it, and the host hears why.
 */
export function watchMemory(bytesMax: number, warn: (code: string, message: string) => void): () => void {
  const budget = new MemoryBudget({ bytesMax, figures, collect, warn });
  const timer = setInterval(() => budget.look(), MEMORY_LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Bytes of heap that this thread may have. */
export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit;
}

/** Of this thread alone, without the shared memory that all threads have. */
function figures(): MemoryFigures {
  const { used_heap_size: heapBytes, external_memory: outsideBytes } = getHeapStatistics();
  return { heapBytes, outsideBytes };
}

/** By the only way that Node offers without a flag. */
function collect(then: () => void): void {
  try {
    const { Session } = require('node:inspector') as typeof Inspector;
    const session = new Session();
    session.connect();
    // Answered after the collection. A session that ends before has none made; one that ends in its answer hangs the thread.
    session.post('HeapProfiler.collectGarbage', () => {
      setImmediate(() => {
        session.disconnect();
        then();
      });
    });
  } catch {
    // A Node without an inspector: the figures count as they are.
    then();
  }
}
