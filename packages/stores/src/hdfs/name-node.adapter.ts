import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { StoreError } from '../errors.ts';
import type { WebHdfsClient, WebHdfsModule } from './load-webhdfs.ts';
import type { CallLimit } from './call-limit.adapter.ts';
import { badAnswer, connectionError, HdfsError, unanswered } from './hdfs-errors.ts';
import { ANSWER_BYTES_MAX } from './hdfs-limits.ts';
import { type NameNodeAddress, originOf } from './hdfs-location.ts';

export interface NameNodeRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly operation: string;
  /** Absolute path in HDFS, decoded. */
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** What it is for, in an error's text: `list /a/b`. */
  readonly doing: string;
}

/** A whole answer. */
export interface NameNodeAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly contentType: string;
  /** The name node's clock, in milliseconds since 1970. */
  readonly dateMs: number | undefined;
  readonly body: Buffer;
}

const PATH = '/webhdfs/v1';
/** Idle connections are closed before a name node does it (60 s), which would break the call that comes just then. */
const IDLE_MS = 10_000;
const CONNECTIONS_MAX = 64;

/**
 * One name node, asked through npm `webhdfs`. Only two inner methods of that package are used, because its public ones report
 * success where data was lost. What it leaves out is done here: percent-encoding, one whole answer or an error, a bound in time
 * and in bytes, no redirect followed, no proxy of the environment.
 */
export class NameNode {
  readonly origin: string;
  readonly address: NameNodeAddress;
  readonly #client: WebHdfsClient;
  readonly #agent: http.Agent;

  constructor(webhdfs: WebHdfsModule, address: NameNodeAddress) {
    this.address = address;
    this.origin = originOf(address);
    this.#client = webhdfs.createClient({
      protocol: address.isTls ? 'https' : 'http',
      host: address.host,
      port: String(address.port),
      path: PATH,
    });
    const options = { keepAlive: true, timeout: IDLE_MS, maxSockets: CONNECTIONS_MAX };
    this.#agent = address.isTls ? new https.Agent(options) : new http.Agent(options);
  }

  /** Rejects with an `HdfsError`; whether the caller's own limit has ended is for the caller to see. */
  ask(request: NameNodeRequest, limit: CallLimit): Promise<NameNodeAnswer> {
    const { doing } = request;
    const { origin } = this;
    // oxlint-disable-next-line no-underscore-dangle -- the class says why inner methods are used
    const endpoint = this.#client._getOperationEndpoint(
      request.operation,
      encodePath(request.path),
      request.parameters,
    );
    return new Promise((resolve, reject) => {
      if (limit.signal.aborted) return reject(unsent(doing, origin));
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      // oxlint-disable-next-line no-underscore-dangle -- as above
      const sent = this.#client._sendRequest(request.method, endpoint, this.#options(request), () => undefined);
      const settle = (act: () => void): void => {
        limit.signal.removeEventListener('abort', onAbort);
        act();
      };
      const give = (error: StoreError): void =>
        settle(() => {
          reject(error);
          sent.abort();
        });
      const onAbort = (): void => give(unanswered(doing, origin));
      limit.signal.addEventListener('abort', onAbort, { once: true });
      sent.on('error', (error) => give(connectionError(doing, origin, error)));
      sent.on('response', (response) => {
        // The package takes an answer that breaks off for its end.
        response.on('aborted', () => give(connectionError(doing, origin, brokenOff())));
      });
      sent.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX)
          give(badAnswer(doing, origin, `the answer is longer than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      sent.on('complete', (response) => {
        if (!response.complete) give(connectionError(doing, origin, brokenOff()));
        else settle(() => resolve(answerOf(response, Buffer.concat(chunks))));
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #options(request: NameNodeRequest): Readonly<Record<string, unknown>> {
    return {
      headers: { ...request.headers, accept: '*/*' },
      agent: this.#agent,
      json: false,
      encoding: null,
      followRedirect: false,
      proxy: null,
      strictSSL: true,
      jar: false,
    };
  }
}

/** Each segment for itself; HDFS decodes once. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function answerOf(response: IncomingMessage, body: Buffer): NameNodeAnswer {
  const { headers, statusCode = 0 } = response;
  const dateMs = Date.parse(headers.date ?? '');
  return {
    status: statusCode,
    location: headers.location,
    contentType: headers['content-type'] ?? '',
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
    body,
  };
}

function unsent(doing: string, origin: string): HdfsError {
  return new HdfsError('retry', 'STORE_TIMEOUT', `Could not ${doing} at ${origin}: the time was up before.`);
}

function brokenOff(): Error {
  return Object.assign(new Error('the answer broke off'), { code: 'ECONNRESET' });
}
