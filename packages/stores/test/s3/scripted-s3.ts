import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

/** What the scripted server does with one request, instead of what is right. */
export interface Plan {
  /** Whether it does what was asked; where this is not said, only when it gives an answer of its own making. */
  readonly acts?: boolean;
  /** An answer with an error document, or with `body` as it is. */
  readonly answer?: {
    readonly status: number;
    readonly code?: string;
    readonly message?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** No answer: the connection is reset, or stays open for ever. */
  readonly silence?: 'reset' | 'hang';
  /** Changes the right answer before it goes out. */
  readonly change?: (right: Reply) => Reply;
  /** Writes the answer itself. */
  readonly write?: (response: ServerResponse, right: Reply) => void;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** A request as it came. */
export interface SeenRequest {
  readonly operation: Operation;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads';

interface Stored {
  readonly body: Buffer;
  readonly putId: string;
}

/**
 * A server that speaks as much of S3 as the store needs, strictly, and gives wrong answers on demand: those that no real server
 * can be made to give. What is right in S3 is shown by the real server in the other tests, not by this one.
 *
 * Strict: every request must be signed, have a length, and carry a checksum that fits its bytes; else the answer is 400.
 */
export class ScriptedS3 {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, { key: string; putId: string; begun: Date; parts: Map<number, Buffer> }>();
  readonly seen: SeenRequest[] = [];
  /** As servers that know no conditional writes. */
  ignoresConditions = false;
  readonly #plans = new Map<Operation, Plan[]>();
  readonly #server: Server;
  #uploadCount = 0;
  #losesNextWrite = false;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<ScriptedS3> {
    const s3 = new ScriptedS3();
    await new Promise<void>((resolve) => s3.#server.listen(0, '127.0.0.1', resolve));
    return s3;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the next requests for an operation come to, in order; after them all is right again. */
  plan(operation: Operation, ...plans: readonly Plan[]): void {
    this.#plans.set(operation, [...(this.#plans.get(operation) ?? []), ...plans]);
  }

  /** Plans that no request has used up. */
  get plansLeft(): number {
    return [...this.#plans.values()].reduce((sum, plans) => sum + plans.length, 0);
  }

  /** The next request that changes an object is done, and its connection is reset. */
  loseNextWrite(): void {
    this.#losesNextWrite = true;
  }

  forgetPlans(): void {
    this.#plans.clear();
  }

  count(operation: Operation): number {
    return this.seen.filter((request) => request.operation === operation).length;
  }

  /** Forgets objects, plans and requests, and breaks off what still waits for an answer. */
  reset(): void {
    this.objects.clear();
    this.uploads.clear();
    this.#plans.clear();
    this.seen.length = 0;
    this.ignoresConditions = false;
    this.#losesNextWrite = false;
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client has gone.
      return;
    }
    const url = new URL(request.url ?? '/', 'http://scripted');
    const [, , ...path] = url.pathname.split('/');
    const key = decodeURIComponent(path.join('/'));
    const operation = operationOf(request.method ?? '', key, url.searchParams);
    const seen: SeenRequest = {
      operation,
      key,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    const plan = this.#lost(operation) ?? this.#plans.get(operation)?.shift() ?? {};
    const isPlain = plan.answer === undefined && plan.silence === undefined;
    const fault = faultOf(seen);
    const right = fault ?? ((plan.acts ?? isPlain) ? this.#act(seen) : reply(500));
    if (plan.silence === 'reset') return void request.socket.resetAndDestroy();
    if (plan.silence === 'hang') return;
    if (plan.write !== undefined) return plan.write(response, right);
    const { answer } = plan;
    const planned =
      answer === undefined
        ? right
        : {
            status: answer.status,
            headers: answer.headers ?? {},
            body: answer.body ?? (answer.code === undefined ? '' : errorXml(answer.code, answer.message)),
          };
    send(response, plan.change?.(planned) ?? planned);
  }

  #lost(operation: Operation): Plan | undefined {
    const isWrite =
      operation === 'PutObject' || operation === 'CompleteMultipartUpload' || operation === 'DeleteObject';
    if (!this.#losesNextWrite || !isWrite) return undefined;
    this.#losesNextWrite = false;
    return { acts: true, silence: 'reset' };
  }

  #act(seen: SeenRequest): Reply {
    const { operation, key, query, headers, body } = seen;
    const stored = this.objects.get(key);
    const isRefused = headers['if-none-match'] === '*' && stored !== undefined && !this.ignoresConditions;
    const putId = String(headers['x-amz-meta-tidemark-put'] ?? '');
    switch (operation) {
      case 'UploadPart':
      case 'CompleteMultipartUpload':
      case 'AbortMultipartUpload':
        return this.#actOnUpload(seen, isRefused);
      case 'PutObject':
        if (isRefused) return reply(412, errorXml('PreconditionFailed'));
        this.objects.set(key, { body, putId });
        return reply(200, '', { etag: '"whole"' });
      case 'HeadObject':
      case 'GetObject':
        return stored === undefined ? reply(404, errorXml('NoSuchKey')) : objectReply(stored, headers.range);
      case 'DeleteObject':
        this.objects.delete(key);
        return reply(204);
      case 'ListObjectsV2':
        return this.#list(query);
      case 'CreateMultipartUpload': {
        const id = `upload-${++this.#uploadCount}`;
        this.uploads.set(id, { key, putId, begun: new Date(), parts: new Map() });
        return reply(200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
      }
      case 'ListMultipartUploads':
        return reply(
          200,
          `<ListMultipartUploadsResult>${[...this.uploads]
            .map(
              ([id, upload]) =>
                `<Upload><Key>${upload.key}</Key><UploadId>${id}</UploadId><Initiated>${upload.begun.toISOString()}</Initiated></Upload>`,
            )
            .join('')}</ListMultipartUploadsResult>`,
        );
    }
  }

  #actOnUpload({ operation, key, query, body }: SeenRequest, isRefused: boolean): Reply {
    const id = query.get('uploadId') ?? '';
    const upload = this.uploads.get(id);
    if (upload === undefined) return reply(404, errorXml('NoSuchUpload'));
    if (operation === 'AbortMultipartUpload') {
      this.uploads.delete(id);
      return reply(204);
    }
    if (operation === 'UploadPart') {
      const number = Number(query.get('partNumber'));
      upload.parts.set(number, body);
      return reply(200, '', { etag: `"part-${number}"` });
    }
    if (isRefused) return reply(412, errorXml('PreconditionFailed'));
    const parts = [...upload.parts].sort(([one], [other]) => one - other).map(([, part]) => part);
    this.objects.set(key, { body: Buffer.concat(parts), putId: upload.putId });
    this.uploads.delete(id);
    return reply(200, '<CompleteMultipartUploadResult><ETag>"parts"</ETag></CompleteMultipartUploadResult>');
  }

  #list(query: URLSearchParams): Reply {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('start-after') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    return reply(200, listXml(keys));
  }
}

/** A page of a listing. */
export function listXml(keys: readonly string[], isTruncated = false): string {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  return `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${contents}</ListBucketResult>`;
}

function objectReply({ body, putId }: Stored, range: string | undefined): Reply {
  const headers = {
    etag: '"x"',
    'last-modified': 'Thu, 26 Nov 2026 09:00:05 GMT',
    'x-amz-meta-tidemark-put': putId,
  };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) return reply(200, body, { ...headers, 'x-amz-checksum-crc32': checksumOf(body) });
  const start = Number(from);
  const end = Math.min(to === '' ? body.length : Number(to) + 1, body.length);
  if (start >= body.length) return reply(416, errorXml('InvalidRange'));
  return reply(206, body.subarray(start, end), {
    ...headers,
    'content-range': `bytes ${start}-${end - 1}/${body.length}`,
  });
}

function operationOf(method: string, key: string, query: URLSearchParams): Operation {
  const hasUpload = query.has('uploadId');
  switch (method) {
    case 'PUT':
      return hasUpload ? 'UploadPart' : 'PutObject';
    case 'POST':
      return hasUpload ? 'CompleteMultipartUpload' : 'CreateMultipartUpload';
    case 'DELETE':
      return hasUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'HEAD':
      return 'HeadObject';
    default:
      if (key !== '') return 'GetObject';
      return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
  }
}

/** What is wrong with a request that a strict server refuses. */
function faultOf({ operation, headers, body }: SeenRequest): Reply | undefined {
  const { authorization = '' } = headers;
  if (!/^AWS4-HMAC-SHA256 Credential=.+, SignedHeaders=.+, Signature=[0-9a-f]{64}$/.test(authorization))
    return reply(403, errorXml('AccessDenied'));
  if (operation !== 'PutObject' && operation !== 'UploadPart') return undefined;
  if (headers['content-length'] !== String(body.length)) return reply(411, errorXml('MissingContentLength'));
  if (headers['x-amz-checksum-crc32'] !== checksumOf(body)) return reply(400, errorXml('BadDigest'));
  return undefined;
}

function checksumOf(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

function reply(status: number, body: Uint8Array | string = '', headers: Record<string, string> = {}): Reply {
  return { status, body, headers };
}

function errorXml(code: string, message = `scripted ${code}`): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
