import { move, service } from 'tidemark';

/** Give back what they get. */
export const Raiser = service('raiser', {
  copied: (_ctx, bytes: Uint8Array) => bytes,
  moved: (_ctx, bytes: Uint8Array) => move(bytes),
});
