import { KEY_GROUPS } from './limits.ts';

const encoder = new TextEncoder();
let scratch = new Uint8Array(256);

/**
 * murmur3-32 with seed 0 over the UTF-8 bytes of `text`.
 * Source: Austin Appleby, MurmurHash3_x86_32 (public domain).
 */
export function murmur3(text: string): number {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 4);
  const length = encoder.encodeInto(text, scratch).written;
  const bytes = scratch;
  const blocks = length & ~3;
  let hash = 0;
  for (let i = 0; i < blocks; i += 4) {
    const k = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash ^= mix(k);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  if ((length & 3) >= 3) tail ^= bytes[blocks + 2] << 16;
  if ((length & 3) >= 2) tail ^= bytes[blocks + 1] << 8;
  if ((length & 3) >= 1) {
    tail ^= bytes[blocks];
    hash ^= mix(tail);
  }
  hash ^= length;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}

function mix(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  return Math.imul(k, 0x1b873593);
}

/** Key group of a key under a definition, 0 … KEY_GROUPS − 1. The same for ever: it is in every checkpoint. */
export function keyGroup(type: string, key: string | number): number {
  return murmur3(`${type}\0${key}`) % KEY_GROUPS;
}

/** Worker thread (1 … workers) at which a key group lives. Thread 0 is the host. */
export function homeOfGroup(group: number, workers: number): number {
  return 1 + Math.floor((group * workers) / KEY_GROUPS);
}
