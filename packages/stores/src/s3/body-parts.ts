/**
 * Cuts a streamed body into parts of equal size, the last one shorter. Chunks are copied: their owner may use them again.
 *
 * @param race ends the wait for a chunk; what it rejects with is thrown. The body is told that nobody wants more of it.
 */
export async function* partsOfStream(
  body: AsyncIterable<Uint8Array>,
  partBytes: number,
  race: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let isOver = false;
  let part = Buffer.allocUnsafeSlow(partBytes);
  let filled = 0;
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array, unknown>;
      try {
        next = await race(Promise.resolve(chunks.next()));
      } catch (error) {
        isOver = true;
        giveUp(chunks);
        throw error;
      }
      if (next.done === true) {
        isOver = true;
        break;
      }
      for (let taken = 0; taken < next.value.byteLength; ) {
        const count = Math.min(partBytes - filled, next.value.byteLength - taken);
        part.set(next.value.subarray(taken, taken + count), filled);
        filled += count;
        taken += count;
        if (filled < partBytes) continue;
        yield part;
        part = Buffer.allocUnsafeSlow(partBytes);
        filled = 0;
      }
    }
    if (filled > 0) yield part.subarray(0, filled);
  } finally {
    if (!isOver) giveUp(chunks);
  }
}

/** Parts of bytes that are all there, without copying them. */
export function* partsOfBytes(bytes: Uint8Array, partBytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += partBytes) yield bytes.subarray(offset, offset + partBytes);
}

/** Not awaited: a body that is stuck would hold up its caller too. */
function giveUp(chunks: AsyncIterator<Uint8Array>): void {
  Promise.resolve(chunks.return?.()).catch(() => undefined);
}
