import type { LogLevel, LogLine } from './messages.ts';

const LEVELS = {
  debug: 'debug',
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
  trace: 'error',
} as const satisfies Partial<Record<keyof Console, LogLevel>>;

type Write = typeof process.stdout.write;

/**
 * Sends whatever this thread writes to its standard streams by `say`, in order, at once: Node hands a worker's streams over
 * bit by bit, beside the line that all else takes, and what a thread has written before it gets stuck is never seen.
 *
 * @returns gives the streams back
 */
export function sendOutput(say: (line: LogLine) => void): () => void {
  let level: LogLevel | null = null;
  const undo: (() => void)[] = [];
  for (const [method, its] of Object.entries(LEVELS) as [keyof typeof LEVELS, LogLevel][]) {
    const original = console[method];
    console[method] = (...args: unknown[]): void => {
      level = its;
      try {
        original.apply(console, args);
      } finally {
        level = null;
      }
    };
    undo.push(() => (console[method] = original));
  }
  for (const from of ['stdout', 'stderr'] as const) {
    const stream = process[from];
    // Its own, before the one of its class.
    stream.write = writer((text) => say({ text, level: level ?? (from === 'stdout' ? 'info' : 'error'), from }));
    undo.push(() => Reflect.deleteProperty(stream, 'write'));
  }
  return () => {
    for (const back of undo) back();
  };
}

function writer(take: (text: string) => void): Write {
  return (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    // An event is a line; the end of the last one is meant by that.
    take(text.endsWith('\n') ? text.slice(0, -1) : text);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(callback as () => void);
    return true;
  };
}
