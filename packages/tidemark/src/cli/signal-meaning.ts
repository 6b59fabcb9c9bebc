import { SIGNAL_ECHO_MS } from './limits.ts';

/** What a further signal means when the first came at `askedAtMs`: an echo of it, or "end at once". */
export function signalMeaning(askedAtMs: number, atMs: number): 'echo' | 'kill' {
  return atMs - askedAtMs < SIGNAL_ECHO_MS ? 'echo' : 'kill';
}
