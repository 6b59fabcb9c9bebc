import { StoreError } from '../errors.ts';
import { isLoopbackHost } from '../loopback.ts';
import { isNameSegment } from '../names.ts';
import { withoutSecrets } from '../without-secrets.ts';

/** Where an S3 store is and how it is spoken to: `s3://bucket/prefix?…`, read. */
export interface S3Location {
  readonly bucket: string;
  /** What all keys begin with: empty, or segments that each end in a slash. */
  readonly prefix: string;
  /** Another server than that of AWS, such as `http://127.0.0.1:9000`. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  readonly encryption:
    | { readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse'; readonly keyId?: string }
    | undefined;
  readonly expectedBucketOwner: string | undefined;
  /** `when-required` leaves checksums out, for servers that do not know them. */
  readonly checksums: 'when-supported' | 'when-required';
  readonly allowHttp: boolean;
  readonly unsafeSingleWriter: boolean;
  /** As it was written. */
  readonly location: string;
  /** For people: the bucket, the prefix and the endpoint. */
  readonly url: string;
}

const PARAMETERS = [
  'endpoint',
  'region',
  'path-style',
  'sse',
  'kms-key-id',
  'expected-bucket-owner',
  'checksums',
  'allow-http',
  'unsafe-single-writer',
] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Names of credentials that people try to write into URLs. They are refused by another message than a slip of the pen. */
const CREDENTIAL = /key|secret|token|password|signature|credential|x-amz/i;

/** A bucket's name is also part of a host's name. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Directory buckets list their keys in no order, which a store must. */
const DIRECTORY_BUCKET = /--x-s3$/;
/** S3 stops at 1,024 bytes for a key; the names of objects may have 512 characters. */
const PREFIX_CHARS_MAX = 500;

/** Reads `s3://bucket/prefix?…`. Throws `STORE_BAD_URL` or `STORE_INSECURE`; no text ever shows what could be a secret. */
export function parseS3Location(location: string): S3Location {
  const bad = (why: string) => badUrl(location, why);
  const [, rest] = /^s3:\/\/(.*)$/is.exec(location) ?? [];
  if (rest === undefined) throw bad('It does not begin with s3://.');
  if (rest.includes('#')) throw bad('A location has no fragment (#…).');
  const [path = '', ...query] = rest.split('?');
  if (query.length > 1) throw bad('It has more than one "?"; write & between parameters.');
  if (path.includes('@') || path.includes(':')) throw bad(NO_CREDENTIALS);
  const parameters = readParameters(query[0] ?? '', bad);

  const [bucket = '', ...segments] = path.split('/');
  if (!BUCKET.test(bucket) || bucket.includes('..'))
    throw bad('The bucket is named by 3 to 63 small letters, digits, "." and "-".');
  if (DIRECTORY_BUCKET.test(bucket))
    throw bad(
      'This names a directory bucket (S3 Express One Zone), which does not list in order; use a general purpose bucket.',
    );
  if (segments.at(-1) === '') segments.pop();
  if (!segments.every(isNameSegment) || path.length > PREFIX_CHARS_MAX)
    throw bad(
      `The prefix consists of segments of letters, digits, ".", "_" and "-" between single slashes, ${PREFIX_CHARS_MAX} characters in all.`,
    );

  const endpoint = readEndpoint(parameters.get('endpoint'), bad);
  const allowHttp = isOn(parameters, 'allow-http', bad);
  if (endpoint?.protocol === 'http:' && !isLoopbackHost(endpoint.hostname) && !allowHttp)
    throw insecure(endpoint.origin);
  const place = `s3://${[bucket, ...segments].join('/')}`;
  return {
    bucket,
    prefix: segments.map((segment) => `${segment}/`).join(''),
    endpoint: endpoint?.href.replace(/\/$/, ''),
    region: readMatching(parameters, 'region', /^[a-z0-9-]{1,64}$/, bad),
    pathStyle: isOn(parameters, 'path-style', bad),
    encryption: readEncryption(parameters, bad),
    expectedBucketOwner: readMatching(parameters, 'expected-bucket-owner', /^\d{12}$/, bad),
    checksums: readChoice(parameters, 'checksums', ['when-supported', 'when-required'], bad) ?? 'when-supported',
    allowHttp,
    unsafeSingleWriter: isOn(parameters, 'unsafe-single-writer', bad),
    location,
    url: endpoint === undefined ? place : `${place}?endpoint=${endpoint.origin}`,
  };
}

/** Refuses to send anything unencrypted, wherever the address came from: the location, the environment or a file of the SDK. */
export function insecure(origin: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_INSECURE',
    `${origin} is not https, so that everybody on the way could read and change the objects. Use https, or add allow-http=true ` +
      'to the location if that network is yours alone.',
  );
}

type Parameters = ReadonlyMap<Parameter, string>;
type Bad = (why: string) => StoreError;

const NO_CREDENTIALS =
  'Credentials have no place in a location, which is shown and logged: give them as the AWS SDK looks for them, ' +
  'for example AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile (AWS_PROFILE).';

function readParameters(query: string, bad: Bad): Parameters {
  const found = new Map<Parameter, string>();
  if (query === '') return found;
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals), bad);
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1), bad);
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      if (CREDENTIAL.test(name)) throw bad(NO_CREDENTIALS);
      throw bad(`It has a parameter that is not known here; known are ${PARAMETERS.join(', ')}.`);
    }
    if (value === '') throw bad(`The parameter ${known} has no value.`);
    if (found.has(known)) throw bad(`The parameter ${known} stands there twice.`);
    found.set(known, value);
  }
  return found;
}

/** A plus is a plus: locations are written by hand, not by forms. */
function decode(text: string, bad: Bad): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('It has a "%" that no two hexadecimal digits follow.');
  }
}

function readEndpoint(text: string | undefined, bad: Bad): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) throw bad(NO_CREDENTIALS);
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.hostname === '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw bad('The endpoint is written like https://s3.example.com or http://127.0.0.1:9000.');
  return url;
}

function readEncryption(parameters: Parameters, bad: Bad): S3Location['encryption'] {
  const algorithm = readChoice(parameters, 'sse', ['AES256', 'aws:kms', 'aws:kms:dsse'], bad);
  const keyId = readMatching(parameters, 'kms-key-id', /^[A-Za-z0-9:/_-]{1,2048}$/, bad);
  if (algorithm === undefined) {
    if (keyId !== undefined) throw bad('The parameter kms-key-id needs sse=aws:kms.');
    return undefined;
  }
  if (keyId === undefined) return { algorithm };
  if (algorithm === 'AES256') throw bad('The parameter kms-key-id needs sse=aws:kms.');
  return { algorithm, keyId };
}

function isOn(parameters: Parameters, name: Parameter, bad: Bad): boolean {
  return readChoice(parameters, name, ['true', 'false'], bad) === 'true';
}

function readChoice<T extends string>(
  parameters: Parameters,
  name: Parameter,
  choices: readonly T[],
  bad: Bad,
): T | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw bad(`The parameter ${name} is ${choices.join(' or ')}.`);
  return choice;
}

function readMatching(parameters: Parameters, name: Parameter, form: RegExp, bad: Bad): string | undefined {
  const value = parameters.get(name);
  if (value !== undefined && !form.test(value))
    throw bad(`The value of the parameter ${name} is none that it can have.`);
  return value;
}

function badUrl(location: string, why: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_BAD_URL',
    `"${withoutSecrets(location)}" is no location of an S3 store. ${why} ` +
      'Expected for example s3://bucket/prefix?region=eu-central-1, or s3://bucket/prefix?endpoint=http://127.0.0.1:9000&path-style=true.',
  );
}
