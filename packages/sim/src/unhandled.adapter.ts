/**
 * Hears of promises that were rejected and that nobody listens to, until the returned function is called. A real process
 * would end there and then.
 */
export function watchUnhandled(unhandled: (error: unknown) => void): () => void {
  process.on('unhandledRejection', unhandled);
  return () => void process.off('unhandledRejection', unhandled);
}
