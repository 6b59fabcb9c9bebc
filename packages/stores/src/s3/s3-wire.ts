import { Readable } from 'node:stream';
import type {
  $Command,
  S3Client,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import { isLoopbackHost } from '../loopback.ts';
import type { StoreTraffic } from '../store.ts';
import type { Watch } from '../watch.ts';
import { badAnswer, failureOf, type S3Failure } from './s3-errors.ts';
import { MESSAGE_BYTES_MAX, SMALL_BYTES_MAX } from './s3-limits.ts';
import { insecure } from './s3-location.ts';
import { secretsOf } from './scrub.ts';

/** One request, for people and for whoever has to say what its failure means. */
export interface Ask {
  /** What is asked of which object: `PutObject log/7 in s3://bucket`. */
  readonly about: string;
  /** Whether it would change what others see. */
  readonly publishes?: boolean;
  /** Whether the answer is an object, which is then read by the caller. */
  readonly streams?: boolean;
  /** Whether the answer has no body. */
  readonly bodiless?: boolean;
  readonly watch: Watch;
}

/** What a request came to. */
export type Answer<O> =
  | { readonly ok: true; readonly output: O; readonly headers: Headers; readonly failed: (cause: unknown) => S3Failure }
  | { readonly ok: false; readonly failure: S3Failure };

type Headers = Readonly<Record<string, string>>;
type S3Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** The parts of the SDK's requests and answers that are used here. */
interface WireRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly headers: Headers;
  body?: unknown;
}
interface WireResponse {
  readonly statusCode: number;
  readonly headers: Headers;
  body?: unknown;
}

/**
 * Sends one request and never throws: what failed is an answer too.
 *
 * It looks at each request when it is signed and goes out, and at its answer before anybody reads it. There it counts the
 * traffic, tells the watch what moved, bounds answers, and refuses to send anything unencrypted. It keeps what must not be
 * seen, the key's id and the signature, only to take it out of the texts of errors.
 */
export class S3Wire {
  readonly #client: S3Client;
  readonly #allowHttp: boolean;
  readonly #requests: Record<string, number> = {};
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(client: S3Client, options: { readonly allowHttp: boolean }) {
    this.#client = client;
    this.#allowHttp = options.allowHttp;
  }

  async send<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: S3Command<I, O>,
    ask: Ask,
  ): Promise<Answer<O>> {
    const seen = new Seen();
    const failed = (cause: unknown) => seen.failure(ask, cause);
    command.middlewareStack.add(
      (next, context) => async (args) => {
        const request = args.request as WireRequest;
        this.#refuseInsecure(request);
        seen.secrets = secretsOf(request.headers, await this.#client.config.credentials());
        const operation = (context.commandName ?? 'unknown').replace(/Command$/, '');
        this.#requests[operation] = (this.#requests[operation] ?? 0) + 1;
        const body = this.#watchBody(request, ask.watch);
        seen.sent = true;
        try {
          const result = await next(args);
          await this.#takeAnswer(result.response as WireResponse, { ask, seen });
          return result;
        } finally {
          body?.destroy();
        }
      },
      { step: 'deserialize', priority: 'low', name: 'tidemarkWire' },
    );
    try {
      const sending = this.#client.send(command, { abortSignal: ask.watch.signal });
      return { ok: true, output: await ask.watch.race(sending), headers: seen.headers, failed };
    } catch (cause) {
      return { ok: false, failure: failed(cause) };
    }
  }

  /** Counts what a caller reads of a streamed answer. */
  received(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  traffic(): StoreTraffic {
    return { requests: { ...this.#requests }, bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived };
  }

  close(): void {
    this.#client.destroy();
  }

  /** An endpoint may also come from the environment or from a file of the SDK. */
  #refuseInsecure({ protocol, hostname, port }: WireRequest): void {
    if (protocol === 'https:' || this.#allowHttp || isLoopbackHost(hostname)) return;
    throw insecure(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
  }

  /** Hands out a large body in slices, so that it shows how far it came. */
  #watchBody(request: WireRequest, watch: Watch): Readable | undefined {
    const { body } = request;
    if (typeof body === 'string') this.#bytesSent += Buffer.byteLength(body);
    if (!(body instanceof Uint8Array)) return undefined;
    if (body.byteLength <= SMALL_BYTES_MAX) {
      this.#bytesSent += body.byteLength;
      return undefined;
    }
    const slices = Readable.from(this.#slices(body, watch), { objectMode: false, highWaterMark: SMALL_BYTES_MAX });
    request.body = slices;
    return slices;
  }

  *#slices(body: Uint8Array, watch: Watch): Generator<Uint8Array> {
    for (let offset = 0; offset < body.byteLength; offset += SMALL_BYTES_MAX) {
      const slice = body.subarray(offset, offset + SMALL_BYTES_MAX);
      this.#bytesSent += slice.byteLength;
      watch.moved();
      yield slice;
    }
  }

  /** Reads what is no object at once, and not more of it than such an answer can have. */
  async #takeAnswer(response: WireResponse, { ask, seen }: { readonly ask: Ask; readonly seen: Seen }): Promise<void> {
    ask.watch.moved();
    seen.status = response.statusCode;
    seen.headers = response.headers;
    if (ask.streams === true && response.statusCode < 300) return;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      ask.watch.moved();
      bytes += chunk.byteLength;
      this.#bytesReceived += chunk.byteLength;
      if (bytes > MESSAGE_BYTES_MAX) throw badAnswer(ask.about, `the answer has more than ${MESSAGE_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    response.body = Readable.from(chunks, { objectMode: false });
  }
}

/** What was seen of one request while it was under way. */
class Seen {
  sent = false;
  secrets: readonly string[] = [];
  status: number | undefined;
  headers: Headers = {};

  failure({ about, publishes = false, bodiless = false, watch }: Ask, cause: unknown): S3Failure {
    const { sent, secrets, status, headers } = this;
    return failureOf({
      about,
      publishes,
      bodiless,
      sent,
      ended: watch.ended,
      cause,
      status,
      responseHeaders: headers,
      secrets,
    });
  }
}
