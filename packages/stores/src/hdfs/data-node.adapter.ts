import { lookup } from 'node:dns/promises';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { StoreError } from '../errors.ts';
import { type CallLimit, StallWatch } from './call-limit.adapter.ts';
import { type DataNodeTarget, type HostAddress, shownTarget } from './data-node-guard.ts';
import { badAnswer, connectionError, HdfsError, remoteError, remoteExceptionIn, unanswered } from './hdfs-errors.ts';
import { CONNECT_MS, ERROR_BYTES_MAX, SLICE_BYTES } from './hdfs-limits.ts';

export interface DataNodeCall {
  readonly target: DataNodeTarget;
  readonly headers: Readonly<Record<string, string>>;
  readonly doing: string;
  readonly limit: CallLimit;
  /** Milliseconds in which a byte must move. */
  readonly stallMs: number;
  readonly redact: (text: string) => string;
  readonly onBytes: (count: number) => void;
}

/** A data node that could not be connected to: no byte of the body was taken, so another one may get it. */
export class DataNodeUnreachable extends HdfsError {}

/** Sends a body to a data node and resolves with its length once the node answered that the file is closed and whole (201). */
export async function sendBody(call: DataNodeCall, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
  const connection = new Connection(call, 'PUT', {
    'content-type': 'application/octet-stream',
    ...(body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}),
  });
  try {
    await connection.established();
    const source = new BodySource(body, connection.watch, call.onBytes);
    const sending = pipeline(source.slices(), connection.request);
    // An answer before the end of the body is a refusal: it says more than the broken pipe behind it.
    const answered = connection.answer();
    answered.catch(() => undefined);
    await Promise.race([sending, answered.then(() => undefined)]).catch(() => undefined);
    if (source.failure !== undefined) throw source.failure.error;
    sending.catch(() => undefined);
    const answer = await answered;
    await connection.expect(answer, 201);
    await sending.catch(() => {
      throw badAnswer(call.doing, connection.place, 'a data node answered before the whole body was sent');
    });
    return source.bytes;
  } finally {
    connection.end();
  }
}

/** Reads a body from a data node: whole, at most `bytesMax` bytes of it. The array's memory is its own. */
export async function readBody(
  call: DataNodeCall,
  bytesMax: number,
  tooLarge: (bytes: number) => StoreError,
): Promise<{ readonly bytes: Uint8Array; readonly isLengthKnown: boolean }> {
  const connection = new Connection(call, 'GET', {});
  try {
    await connection.established();
    connection.request.end();
    const answer = await connection.answer();
    await connection.expect(answer, 200);
    const length = contentLength(answer);
    if (length !== undefined && length > bytesMax) throw tooLarge(length);
    const bytes = await connection.collect(answer, length, bytesMax, tooLarge);
    return { bytes, isLengthKnown: length !== undefined };
  } finally {
    connection.end();
  }
}

/** The addresses of a host. An address stands for itself. */
export async function resolveHost(host: string): Promise<readonly HostAddress[]> {
  const family = isIP(host);
  if (family === 4 || family === 6) return [{ address: host, family }];
  try {
    const found = await lookup(host, { all: true });
    return found.map((each) => ({ address: each.address, family: each.family === 6 ? 6 : 4 }));
  } catch (cause) {
    throw connectionError('find the address of a data node', host, cause);
  }
}

/** One request to one data node, on a connection of its own, as data nodes close it after each body. */
class Connection {
  readonly request: ClientRequest;
  readonly watch: StallWatch;
  readonly place: string;
  readonly #call: DataNodeCall;
  readonly #answer: Promise<IncomingMessage>;
  #failure: StoreError | undefined;
  readonly #onLimit = (): void => this.#fail(unanswered(this.#call.doing, this.place));

  constructor(call: DataNodeCall, method: string, headers: Readonly<Record<string, string>>) {
    const { url, addresses } = call.target;
    this.#call = call;
    this.place = shownTarget(url);
    this.watch = new StallWatch(call.stallMs, () => this.#fail(unanswered(call.doing, this.place)));
    const send = url.protocol === 'https:' ? https.request : http.request;
    this.request = send(url, {
      method,
      headers: { ...headers, ...call.headers },
      agent: false,
      lookup: pinned(addresses),
      ...(url.protocol === 'https:' ? { rejectUnauthorized: true } : {}),
    });
    this.#answer = new Promise((resolve, reject) => {
      this.request.once('response', resolve);
      this.request.once('error', (error) => reject(this.#told(error)));
      this.request.once('close', () => reject(this.#told(brokenOff())));
    });
    this.#answer.catch(() => undefined);
    // An error after the answer began is told by the body; without a listener it would end the process.
    this.request.on('error', () => undefined);
    if (call.limit.signal.aborted) this.#onLimit();
    else call.limit.signal.addEventListener('abort', this.#onLimit, { once: true });
  }

  /** Resolves when bytes can be sent; nothing has been until then. */
  async established(): Promise<void> {
    const { request } = this;
    const { doing, target, limit } = this.#call;
    await new Promise<void>((resolve, reject) => {
      const part = limit.within(CONNECT_MS);
      const refuse = (error: StoreError): void => {
        part.end();
        reject(
          limit.signal.aborted
            ? error
            : new DataNodeUnreachable(error.kind, error.code, error.message, { cause: error.cause }),
        );
      };
      part.signal.addEventListener('abort', () => this.#fail(unanswered(doing, this.place)), { once: true });
      request.once('error', (error) => refuse(this.#told(error)));
      request.once('close', () => refuse(this.#told(brokenOff())));
      request.once('socket', (socket) => {
        const connected = (): void => {
          part.end();
          resolve();
        };
        socket.once(target.url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
      });
      // Headers go out with the first bytes of the body, or here for none.
      request.flushHeaders();
    });
    this.watch.moved();
  }

  answer(): Promise<IncomingMessage> {
    return this.#answer;
  }

  /** Resolves when the status is the one that means success; else rejects with what the answer says. */
  async expect(answer: IncomingMessage, status: number): Promise<void> {
    const { doing, redact } = this.#call;
    if (answer.statusCode === status) {
      if (status !== 200) answer.resume();
      return;
    }
    if (answer.statusCode !== undefined && answer.statusCode >= 300 && answer.statusCode < 400)
      throw new StoreError(
        'denied',
        'STORE_REDIRECT_REFUSED',
        `Could not ${doing}: the data node ${this.place} sent us on, and a data node never does. Nothing was sent there.`,
      );
    const text = Buffer.from(await this.collect(answer, undefined, ERROR_BYTES_MAX)).toString('utf8');
    const exception = remoteExceptionIn(text);
    if (exception === undefined) throw unknownAnswer(answer.statusCode ?? 0, doing, this.place);
    throw remoteError(doing, this.place, { ...exception, message: redact(exception.message) });
  }

  /** All bytes of an answer. Without `tooLarge` what goes past the bound is left out. */
  async collect(
    answer: IncomingMessage,
    length: number | undefined,
    bytesMax: number,
    tooLarge?: (bytes: number) => StoreError,
  ): Promise<Uint8Array> {
    const gathered = new Gathered(length);
    this.watch.moved();
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        this.watch.moved();
        this.#call.onBytes(chunk.length);
        if (gathered.length + chunk.length > bytesMax) {
          if (tooLarge !== undefined) throw tooLarge(gathered.length + chunk.length);
          break;
        }
        gathered.add(chunk);
      }
    } catch (error) {
      throw this.#told(error);
    }
    if (length !== undefined && gathered.length !== length) throw this.#told(brokenOff());
    return gathered.bytes();
  }

  end(): void {
    this.watch.end();
    this.#call.limit.signal.removeEventListener('abort', this.#onLimit);
    this.request.destroy();
  }

  #fail(error: StoreError): void {
    this.#failure ??= error;
    this.request.destroy(error);
  }

  #told(error: unknown): StoreError {
    if (this.#failure !== undefined) return this.#failure;
    return error instanceof StoreError ? error : connectionError(this.#call.doing, this.place, error);
  }
}

/** The caller's bytes in slices; what the caller's own iterable throws is kept apart from a broken connection. */
class BodySource {
  readonly #body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly #watch: StallWatch;
  readonly #onBytes: (count: number) => void;
  bytes = 0;
  failure: { readonly error: unknown } | undefined;

  constructor(body: Uint8Array | AsyncIterable<Uint8Array>, watch: StallWatch, onBytes: (count: number) => void) {
    this.#body = body;
    this.#watch = watch;
    this.#onBytes = onBytes;
  }

  async *slices(): AsyncGenerator<Uint8Array> {
    let isOurs = true;
    try {
      const chunks = this.#body instanceof Uint8Array ? [this.#body] : this.#body;
      // While the caller makes its next chunk, no byte need move.
      this.#watch.rest();
      for await (const chunk of chunks) {
        for (let start = 0; start < chunk.length; start += SLICE_BYTES) {
          const slice = chunk.subarray(start, start + SLICE_BYTES);
          this.#watch.moved();
          isOurs = false;
          yield slice;
          isOurs = true;
          this.bytes += slice.length;
          this.#onBytes(slice.length);
        }
        this.#watch.rest();
      }
      // From here on the answer is waited for.
      this.#watch.moved();
    } catch (error) {
      if (isOurs) this.failure = { error };
      throw error;
    }
  }
}

/** Bytes as they come, in one array at once when their number is known. */
class Gathered {
  readonly #whole: Uint8Array | undefined;
  readonly #chunks: Uint8Array[] = [];
  length = 0;

  constructor(length: number | undefined) {
    if (length !== undefined) this.#whole = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  }

  add(chunk: Uint8Array): void {
    if (this.#whole === undefined) this.#chunks.push(chunk);
    else if (this.length + chunk.length <= this.#whole.length) this.#whole.set(chunk, this.length);
    this.length += chunk.length;
  }

  bytes(): Uint8Array {
    if (this.#whole !== undefined) return this.#whole;
    const whole = new Uint8Array(this.length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }
}

/** Takes the addresses that were checked; the name is not looked up again. */
function pinned(addresses: readonly HostAddress[]): LookupFunction {
  return (_host, options, done) => {
    const wanted = addresses.filter(
      ({ family }) => options.family === undefined || options.family === 0 || options.family === family,
    );
    const [first] = wanted.length > 0 ? wanted : addresses;
    if (options.all === true) done(null, [...addresses]);
    else if (first !== undefined) done(null, first.address, first.family);
    else done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 4);
  };
}

function contentLength({ headers }: IncomingMessage): number | undefined {
  const text = headers['content-length'];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function unknownAnswer(status: number, doing: string, place: string): HdfsError {
  // A gateway whose data node is down or overloaded answers so, without any text of HDFS.
  if (status >= 500 || status === 429)
    return new HdfsError(
      'retry',
      'STORE_UNREACHABLE',
      `Could not ${doing} at ${place}: it answered ${status}. Repeat later.`,
    );
  if (status === 401)
    return new HdfsError(
      'denied',
      'STORE_CREDENTIALS',
      `Could not ${doing} at ${place}: it wants other credentials (401).`,
    );
  return badAnswer(doing, place, `it answered ${status} without a text of HDFS`);
}

function brokenOff(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
