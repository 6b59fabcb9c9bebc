import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { CheckpointError } from './errors.ts';

/** How the blocks of parts are stored. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'snappy';

/** Numbers in a part file. Never given to another. */
const CODECS: readonly Compression[] = ['none', 'gzip', 'zstd', 'snappy'];

/** Compresses off this thread. */
export interface Compressor {
  readonly codec: number;
  compress(payload: Uint8Array): Promise<Uint8Array>;
}

/** Its module, where it is installed; it is an optional peer. */
interface Snappy {
  compress(input: Buffer): Promise<Buffer>;
  uncompressSync(input: Buffer, options: { readonly asBuffer: true }): string | Buffer;
}

let snappy: Snappy | null = null;

/** Node has it since 22.15 and 23.8. */
interface Zstd {
  readonly zstdCompress?: (input: Uint8Array, done: (error: Error | null, result: Buffer) => void) => void;
  readonly zstdDecompressSync?: (input: Uint8Array, options: zlib.ZlibOptions) => Buffer;
}

const { zstdCompress, zstdDecompressSync }: Zstd = zlib as Zstd;

/**
 * Makes the compressor of that name; null for none.
 *
 * @throws CheckpointError `COMPRESSION_UNAVAILABLE` when this Node or this installation does not have it
 */
export function openCompressor(compression: Compression): Compressor | null {
  const codec = CODECS.indexOf(compression);
  switch (compression) {
    case 'none':
      return null;
    case 'gzip': {
      const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
      return { codec, compress: (payload) => gzip(payload, { level: 1 }) };
    }
    case 'zstd': {
      if (zstdCompress === undefined) throw unavailable('zstd', ZSTD_NEEDS);
      const zstd = promisify(zstdCompress);
      return { codec, compress: (payload) => zstd(payload) };
    }
    case 'snappy': {
      const codecs = loadSnappy();
      return {
        codec,
        compress: (payload) => codecs.compress(Buffer.from(payload.buffer, payload.byteOffset, payload.length)),
      };
    }
    default:
      throw new CheckpointError(
        'COMPRESSION_UNAVAILABLE',
        `compression: ${String(compression)}; expected one of ${CODECS.join(', ')}`,
      );
  }
}

/**
 * Gives back the payload of a block.
 *
 * @throws CheckpointError `COMPRESSION_UNAVAILABLE`; Error when the bytes are not what they should be
 */
export function decompress(codec: number, stored: Uint8Array, length: number): Uint8Array {
  const options = { maxOutputLength: Math.max(1, length) };
  switch (CODECS[codec]) {
    case 'none':
      return stored;
    case 'gzip':
      return zlib.gunzipSync(stored, options);
    case 'zstd':
      if (zstdDecompressSync === undefined) throw unavailable('zstd', ZSTD_NEEDS);
      return zstdDecompressSync(stored, options);
    case 'snappy': {
      const input = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
      return loadSnappy().uncompressSync(input, { asBuffer: true }) as Buffer;
    }
    default:
      throw new Error(`unknown compression: ${codec}`);
  }
}

/** Only where somebody has installed it. */
function loadSnappy(): Snappy {
  try {
    return (snappy ??= createRequire(import.meta.url)('snappy') as Snappy);
  } catch (cause) {
    throw unavailable('snappy', SNAPPY_NEEDS, cause);
  }
}

const ZSTD_NEEDS = 'Node 22.15, 23.8 or later';
const SNAPPY_NEEDS = "the package 'snappy' (npm install snappy)";

function unavailable(name: string, needs: string, cause?: unknown): CheckpointError {
  return new CheckpointError('COMPRESSION_UNAVAILABLE', `compression '${name}' needs ${needs}`, { cause });
}
