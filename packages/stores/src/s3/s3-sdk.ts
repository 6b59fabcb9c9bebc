import type * as Sdk from '@aws-sdk/client-s3';
import { StoreError } from '../errors.ts';
import type { S3Location } from './s3-location.ts';

/** The AWS SDK is loaded when the first S3 store is opened, so that nobody else needs to have it. */
export async function loadSdk(url: string): Promise<typeof Sdk> {
  // On Node 20 the SDK says of itself what its later versions will need; that is no news of the job that a user runs.
  process.env[WARNING_DISABLED] ??= 'true';
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new StoreError(
      'fatal',
      'STORE_NOT_INSTALLED',
      `${url} needs the AWS SDK, which is not installed here. Install it: npm install @aws-sdk/client-s3@~3.1169.0`,
      { cause },
    );
  }
}

/** Whoever sets it to `false` gets the SDK's warning. */
const WARNING_DISABLED = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** Milliseconds to make a connection. */
const CONNECT_MS = 10_000;

/**
 * A client that makes each request once: what is repeated, and when, is for the `Repeater` alone. It has no time-outs of its
 * own but that for connecting, because a `Watch` ends each request.
 */
export function makeClient({ S3Client }: typeof Sdk, location: S3Location): Sdk.S3Client {
  const { endpoint, region, pathStyle, checksums } = location;
  const whenever = checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    retryMode: 'standard',
    // A body that waits for "100 Continue" takes a connection of its own for each request.
    expectContinueHeader: false,
    followRegionRedirects: false,
    requestChecksumCalculation: whenever,
    responseChecksumValidation: whenever,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: 0,
      socketTimeout: 0,
      httpAgent: AGENT,
      httpsAgent: AGENT,
    },
  });
}

/** More calls than that at once wait for each other, and their time runs on while they do. */
const AGENT = { keepAlive: true, maxSockets: 128 };
