const INSIDE = Symbol.for('tidemark.inside-worker');
const root = globalThis as { [INSIDE]?: boolean };

/** Whether this thread is a worker of a system: host code of the modules that it loads does nothing. */
export function insideWorker(): boolean {
  return root[INSIDE] === true;
}

export function markInsideWorker(): void {
  root[INSIDE] = true;
}
