import { type PerformanceEntry, performance, PerformanceObserver } from 'node:perf_hooks';

/** Collections remembered: of the last seconds, which is all that anybody asks for. */
const KEPT = 512;

let kept: { readonly from: number; readonly until: number }[] | null = null;

/** Milliseconds of garbage collection in this thread between two instants. Watches from the first question on. */
export function collected(from: number, until: number): number {
  kept ??= watch();
  let sum = 0;
  for (let i = kept.length - 1; i >= 0 && kept[i].until > from; i--) {
    sum += Math.max(0, Math.min(until, kept[i].until) - Math.max(from, kept[i].from));
  }
  return sum;
}

function watch(): { readonly from: number; readonly until: number }[] {
  const seen: { readonly from: number; readonly until: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.push(span(entry));
    if (seen.length > KEPT) seen.splice(0, seen.length - KEPT);
  });
  observer.observe({ entryTypes: ['gc'] });
  return seen;
}

function span({ startTime, duration }: PerformanceEntry): { readonly from: number; readonly until: number } {
  const from = performance.timeOrigin + startTime;
  return { from, until: from + duration };
}
