import type * as Sdk from '@aws-sdk/client-s3';
import type { Watch } from '../watch.ts';
import type { S3Location } from './s3-location.ts';
import type { Answer, Ask, S3Wire } from './s3-wire.ts';

/** Metadata that carries the put id. */
export const PUT_ID = 'tidemark-put';

/** Bytes, the id that tells whose they are, and whether they may go over others. */
export interface Write {
  readonly putId: string;
  /** `free`: only under a name that is free (`If-None-Match: *`). `any`: over whatever is there. */
  readonly onto: 'free' | 'any';
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly crc32: string | undefined;
}

/** An upload that is under way. */
export interface Upload {
  readonly name: string;
  readonly id: string;
}

/** All parts of a large object are with the server, which shows nothing of them before they are put together. */
export interface Uploaded {
  readonly upload: Upload;
  readonly parts: readonly Part[];
  readonly crc32: string;
  readonly sizeBytes: number;
}

/**
 * The operations of S3 that the store needs, one request each, on one bucket under one prefix. What belongs into every request
 * of a kind (owner, encryption, checksums) is added here and nowhere else.
 */
export class S3Bucket {
  readonly #sdk: typeof Sdk;
  readonly #wire: S3Wire;
  readonly #location: S3Location;
  readonly #place: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };

  constructor(sdk: typeof Sdk, wire: S3Wire, location: S3Location) {
    this.#sdk = sdk;
    this.#wire = wire;
    this.#location = location;
    const owner = location.expectedBucketOwner;
    this.#place = { Bucket: location.bucket, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) };
  }

  /** For texts: what is asked of which object. */
  about(operation: string, name: string): string {
    return `${operation} ${name === '' ? 'all objects' : name} in ${this.#location.url}`;
  }

  put(name: string, bytes: Uint8Array, write: Write, watch: Watch): Promise<Answer<Sdk.PutObjectCommandOutput>> {
    const command = new this.#sdk.PutObjectCommand({
      ...this.#object(name),
      ...this.#encryption(),
      ...condition(write),
      Body: bytes,
      Metadata: { [PUT_ID]: write.putId },
    });
    return this.#wire.send(command, this.#ask('PutObject', name, watch, { publishes: true }));
  }

  head(name: string, watch: Watch): Promise<Answer<Sdk.HeadObjectCommandOutput>> {
    const command = new this.#sdk.HeadObjectCommand(this.#object(name));
    return this.#wire.send(command, this.#ask('HeadObject', name, watch, { bodiless: true }));
  }

  /** `range` as in the header: `bytes=0-99`. */
  get(name: string, range: string | undefined, watch: Watch): Promise<Answer<Sdk.GetObjectCommandOutput>> {
    const command = new this.#sdk.GetObjectCommand({
      ...this.#object(name),
      ...(range === undefined ? {} : { Range: range }),
    });
    return this.#wire.send(command, this.#ask('GetObject', name, watch, { streams: true }));
  }

  list(prefix: string, after: string, watch: Watch): Promise<Answer<Sdk.ListObjectsV2CommandOutput>> {
    const command = new this.#sdk.ListObjectsV2Command({
      ...this.#place,
      Prefix: this.#location.prefix + prefix,
      ...(after === '' ? {} : { StartAfter: this.#location.prefix + after }),
    });
    return this.#wire.send(command, this.#ask('ListObjectsV2', prefix, watch));
  }

  delete(name: string, watch: Watch): Promise<Answer<Sdk.DeleteObjectCommandOutput>> {
    const command = new this.#sdk.DeleteObjectCommand(this.#object(name));
    return this.#wire.send(command, this.#ask('DeleteObject', name, watch, { publishes: true }));
  }

  beginUpload(name: string, { putId }: Write, watch: Watch): Promise<Answer<Sdk.CreateMultipartUploadCommandOutput>> {
    const command = new this.#sdk.CreateMultipartUploadCommand({
      ...this.#object(name),
      ...this.#encryption(),
      ...(this.#hasChecksums ? ({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const) : {}),
      Metadata: { [PUT_ID]: putId },
    });
    return this.#wire.send(command, this.#ask('CreateMultipartUpload', name, watch));
  }

  uploadPart(
    { name, id }: Upload,
    part: { readonly number: number; readonly bytes: Uint8Array; readonly crc32: string },
    watch: Watch,
  ): Promise<Answer<Sdk.UploadPartCommandOutput>> {
    const command = new this.#sdk.UploadPartCommand({
      ...this.#object(name),
      UploadId: id,
      PartNumber: part.number,
      Body: part.bytes,
      ...(this.#hasChecksums ? { ChecksumCRC32: part.crc32 } : {}),
    });
    return this.#wire.send(command, this.#ask('UploadPart', name, watch));
  }

  /** `crc32` is that of the whole object, so that the server proves the order of the parts too. */
  completeUpload(
    { upload: { name, id }, ...whole }: Uploaded,
    write: Write,
    watch: Watch,
  ): Promise<Answer<Sdk.CompleteMultipartUploadCommandOutput>> {
    const command = new this.#sdk.CompleteMultipartUploadCommand({
      ...this.#object(name),
      ...condition(write),
      UploadId: id,
      ...(this.#hasChecksums ? ({ ChecksumCRC32: whole.crc32, ChecksumType: 'FULL_OBJECT' } as const) : {}),
      MultipartUpload: {
        Parts: whole.parts.map(({ number, etag, crc32 }) => ({
          PartNumber: number,
          ETag: etag,
          ...(this.#hasChecksums ? { ChecksumCRC32: crc32 } : {}),
        })),
      },
    });
    return this.#wire.send(command, this.#ask('CompleteMultipartUpload', name, watch, { publishes: true }));
  }

  abortUpload({ name, id }: Upload, watch: Watch): Promise<Answer<Sdk.AbortMultipartUploadCommandOutput>> {
    const command = new this.#sdk.AbortMultipartUploadCommand({ ...this.#object(name), UploadId: id });
    return this.#wire.send(command, this.#ask('AbortMultipartUpload', name, watch));
  }

  listUploads(watch: Watch): Promise<Answer<Sdk.ListMultipartUploadsCommandOutput>> {
    const command = new this.#sdk.ListMultipartUploadsCommand({ ...this.#place, Prefix: this.#location.prefix });
    return this.#wire.send(command, this.#ask('ListMultipartUploads', '', watch));
  }

  /** The name of a key under the prefix; undefined for any other key. */
  nameOf(key: string): string | undefined {
    const { prefix } = this.#location;
    return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
  }

  received(bytes: number): void {
    this.#wire.received(bytes);
  }

  get #hasChecksums(): boolean {
    return this.#location.checksums === 'when-supported';
  }

  #object(name: string) {
    return { ...this.#place, Key: this.#location.prefix + name };
  }

  #encryption() {
    const { encryption } = this.#location;
    if (encryption === undefined) return {};
    const { algorithm, keyId } = encryption;
    return { ServerSideEncryption: algorithm, ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }) };
  }

  #ask(operation: string, name: string, watch: Watch, facts: Partial<Ask> = {}): Ask {
    return { about: this.about(operation, name), watch, ...facts };
  }
}

function condition({ onto }: Write): { readonly IfNoneMatch?: '*' } {
  return onto === 'free' ? { IfNoneMatch: '*' } : {};
}
