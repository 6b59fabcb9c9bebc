import { StoreError, type StoreErrorCode, type StoreErrorKind } from '../errors.ts';
import type { WatchEnd } from '../watch.ts';
import { scrubbed } from './scrub.ts';

/** How a request failed: the error for the caller, and what may have become of what the request was to change. */
export interface S3Failure {
  readonly error: StoreError;
  /** The code of the server's answer, such as `NoSuchKey`; that of the connection's error, where none came. */
  readonly s3Code: string;
  /** See `Attempt` of `settlement.ts`; `refused` is an `If-None-Match` of a name that is taken. */
  readonly outcome: 'refused' | 'nothing-done' | 'answered' | 'unanswered';
}

/** What is known of a request that failed. */
export interface FailedRequest {
  /** `PutObject log/7 in s3://bucket`, for people. */
  readonly about: string;
  /** Whether it would have changed what others see. */
  readonly publishes: boolean;
  /** Whether its answer has no body, as that to a HEAD; any other answer of S3 names its error in it. */
  readonly bodiless: boolean;
  /** Whether it was given to the connection. */
  readonly sent: boolean;
  readonly ended: WatchEnd | undefined;
  readonly cause: unknown;
  /** Of the answer, as far as one came. */
  readonly status: number | undefined;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** What an answer or an error of a connection means to a store, and what a person should do. */
interface Meaning {
  readonly kind: StoreErrorKind;
  readonly code: StoreErrorCode;
  readonly says: string;
  readonly advice: string;
  /** For a request that changes something; `nothing-done` where it is not there. */
  readonly outcome?: S3Failure['outcome'];
}

const ABSENT: Meaning = {
  kind: 'absent',
  code: 'STORE_ABSENT',
  says: 'there is no such object',
  advice: 'List its folder to see what is there.',
};
const TAKEN: Meaning = {
  kind: 'fatal',
  code: 'STORE_NAME_TAKEN',
  says: 'the name is taken',
  advice: 'Put under a name that nobody used before.',
  outcome: 'refused',
};
const DENIED: Meaning = {
  kind: 'denied',
  code: 'STORE_DENIED',
  says: 'these credentials do not have the right to do that',
  advice:
    'Give them the rights that docs/stores.md lists, for this bucket and prefix (and for the KMS key, where there is one).',
};
const CREDENTIALS: Meaning = {
  kind: 'denied',
  code: 'STORE_CREDENTIALS',
  says: 'the credentials are missing, wrong or expired',
  advice:
    'Renew them where the AWS SDK finds them: the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE), ' +
    'or the role of this machine.',
};
const CLOCK_SKEW: Meaning = {
  kind: 'retry',
  code: 'STORE_CLOCK_SKEW',
  says: 'the clocks of this machine and of the server differ too much',
  advice: 'Set the clock of this machine.',
};
const BUSY: Meaning = {
  kind: 'retry',
  code: 'STORE_BUSY',
  says: 'the server asks to come back later',
  advice: 'Repeat later; if it stays so, look at the load and the limits of the server.',
};
const FAILED: Meaning = { ...BUSY, says: 'the server failed', outcome: 'answered' };
const GATEWAY: Meaning = { ...BUSY, says: 'something before the server got no answer from it', outcome: 'unanswered' };
const CONFLICT: Meaning = {
  kind: 'retry',
  code: 'STORE_BUSY',
  says: 'another request for the same name was under way, and nothing was decided',
  advice: 'Repeat it.',
};
const DAMAGED: Meaning = {
  kind: 'corrupt',
  code: 'STORE_CORRUPT',
  says: 'the bytes were damaged on their way, so the server did not take them',
  advice: 'Repeat it; if it stays so, look for what stands between this machine and the server.',
};
const FULL: Meaning = {
  kind: 'retry',
  code: 'STORE_FULL',
  says: 'the disk or the quota of the server is full',
  advice: 'Free space, or keep fewer checkpoints.',
};
const NO_BUCKET: Meaning = {
  kind: 'fatal',
  code: 'STORE_NOT_FOUND',
  says: 'there is no such bucket',
  advice: 'Make it, or correct the location; a store makes no buckets.',
};
const BAD_NAME: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_NAME',
  says: 'the server takes no such name',
  advice: 'Use a shorter prefix, and no name that is the beginning of others.',
};
const TOO_LARGE: Meaning = {
  kind: 'fatal',
  code: 'STORE_TOO_LARGE',
  says: 'the object is larger than the server takes',
  advice: 'Split it.',
};
const UPLOAD_GONE: Meaning = {
  kind: 'retry',
  code: 'STORE_IO',
  says: 'the upload was ended by somebody else before it was whole',
  advice: 'Repeat it; let no rule of the bucket end uploads that are younger than a day.',
};
const ELSEWHERE: Meaning = {
  kind: 'fatal',
  code: 'STORE_REDIRECT_REFUSED',
  says: 'the bucket is in another region or at another address, and requests are not sent on',
  advice: 'Add its region to the location (region=…), or correct the endpoint.',
};
const BAD_ANSWER: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_ANSWER',
  says: 'the answer is none that S3 gives here',
  advice:
    'See whether the location names an S3 server, and not a proxy or a login page, and whether that server knows the request.',
  outcome: 'answered',
};
const UNREACHABLE: Meaning = {
  kind: 'retry',
  code: 'STORE_UNREACHABLE',
  says: 'the server cannot be reached',
  advice: 'See whether it runs, and whether the location names it rightly.',
};
const BROKEN_OFF: Meaning = {
  ...UNREACHABLE,
  says: 'the connection broke before the answer was whole',
  outcome: 'unanswered',
};
const UNTRUSTED: Meaning = {
  kind: 'fatal',
  code: 'STORE_UNREACHABLE',
  says: 'no encrypted connection can be made',
  advice:
    'See that the endpoint speaks https, and that its certificate is known here (NODE_EXTRA_CA_CERTS) and names it.',
};
const NO_REGION: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_URL',
  says: 'no region is known',
  advice: 'Add region=… to the location, or set AWS_REGION.',
};

const SERVER_CODES: ReadonlyMap<string, Meaning> = table([
  [ABSENT, 'NoSuchKey'],
  [TAKEN, 'PreconditionFailed'],
  [CONFLICT, 'ConditionalRequestConflict OperationAborted'],
  [
    DENIED,
    'AccessDenied AllAccessDisabled AccountProblem InvalidObjectState KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException',
  ],
  [
    CREDENTIALS,
    'ExpiredToken ExpiredTokenException TokenRefreshRequired InvalidToken InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity ' +
      'InvalidClientTokenId UnrecognizedClientException NotSignedUp XAdminUserNotFound CredentialsProviderError TokenProviderError',
  ],
  [CLOCK_SKEW, 'RequestTimeTooSkewed RequestExpired'],
  [
    BUSY,
    'SlowDown TooManyRequests Throttling ThrottlingException RequestLimitExceeded BandwidthLimitExceeded RequestTimeout IncompleteBody',
  ],
  [FAILED, 'InternalError ServiceUnavailable InternalServerError'],
  [DAMAGED, 'BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch InvalidChecksum'],
  [FULL, 'QuotaExceeded XMinioStorageFull InsufficientStorage EntityTooLargeForQuota'],
  [NO_BUCKET, 'NoSuchBucket'],
  [BAD_NAME, 'KeyTooLongError KeyTooLong InvalidObjectName ObjectParentIsFile XMinioParentIsObject'],
  [TOO_LARGE, 'EntityTooLarge'],
  [UPLOAD_GONE, 'NoSuchUpload'],
  [
    ELSEWHERE,
    'PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException',
  ],
]);

/** For answers without a known code, such as those to HEAD requests and those of proxies. */
const STATUSES: ReadonlyMap<number, Meaning> = new Map([
  [301, ELSEWHERE],
  [307, ELSEWHERE],
  [308, ELSEWHERE],
  [401, CREDENTIALS],
  [403, DENIED],
  [405, BAD_ANSWER],
  [408, BUSY],
  [412, TAKEN],
  [429, BUSY],
  [500, FAILED],
  [501, BAD_ANSWER],
  [502, GATEWAY],
  [503, FAILED],
  [504, GATEWAY],
  [507, FULL],
]);

const CONNECTION_CODES: ReadonlyMap<string, Meaning> = table([
  [UNREACHABLE, 'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EADDRNOTAVAIL EHOSTDOWN'],
  [
    { ...BUSY, says: 'the system has no file handle left', advice: 'Repeat later; if it stays so, raise `ulimit -n`.' },
    'EMFILE ENFILE',
  ],
  [
    UNTRUSTED,
    'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT ' +
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY CERT_HAS_EXPIRED CERT_NOT_YET_VALID CERT_UNTRUSTED ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [BROKEN_OFF, 'EPROTO ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ERR_STREAM_PREMATURE_CLOSE ERR_STREAM_DESTROYED'],
]);

/** Says what a failed request means. */
export function failureOf(request: FailedRequest): S3Failure {
  const { cause, publishes } = request;
  // Our own refusal: to send it, or to read an answer to the end.
  if (cause instanceof StoreError)
    return { error: cause, s3Code: cause.code, outcome: request.sent ? 'answered' : 'nothing-done' };
  const facts = factsOf(request);
  if (request.ended !== undefined) return endedFailure(request, request.ended);
  const meaning = meaningOf(request, facts);
  const outcome = request.sent ? outcomeOf(meaning, facts) : 'nothing-done';
  const error =
    publishes && outcome === 'unanswered'
      ? outcomeUnknown(request.about, `${sentence(meaning.says)}.`, causeOf(request, meaning, facts))
      : errorOf(request, meaning, facts);
  return { error, s3Code: facts.code, outcome };
}

/** An answer that came as a success, and does not have in it what S3 would have put there. */
export function badAnswer(about: string, what: string): StoreError {
  return new StoreError('fatal', 'STORE_BAD_ANSWER', `${about} failed: ${what}. ${BAD_ANSWER.advice}`);
}

/** The error for a call of which nobody knows whether it took effect. */
export function outcomeUnknown(about: string, why: string, cause: unknown): StoreError {
  return new StoreError(
    'lost',
    'STORE_OUTCOME_UNKNOWN',
    `Whether ${about} took effect is not known. ${why} Read it back and compare before anything that depends on it.`,
    { cause },
  );
}

interface Facts {
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
}

function table(rows: readonly (readonly [Meaning, string])[]): ReadonlyMap<string, Meaning> {
  return new Map(rows.flatMap(([meaning, codes]) => codes.split(' ').map((code) => [code, meaning] as const)));
}

/** A server that failed may have done it before, whatever it calls its failure. */
function outcomeOf({ outcome = 'nothing-done' }: Meaning, { status = 0 }: Facts): S3Failure['outcome'] {
  return outcome === 'nothing-done' && status >= 500 ? 'answered' : outcome;
}

function meaningOf({ sent, cause, bodiless }: FailedRequest, { code, status, message }: Facts): Meaning {
  const known = SERVER_CODES.get(code);
  if (known !== undefined) return known;
  // A page of something in between says nothing about an object (S5).
  if (status === 404 && bodiless) return ABSENT;
  if (status !== undefined && status >= 300)
    return STATUSES.get(status) ?? (status >= 500 ? FAILED : { ...BAD_ANSWER, outcome: 'nothing-done' });
  if (code === 'EPROTO' && /wrong version number|packet length too long/i.test(message)) return UNTRUSTED;
  const connection = CONNECTION_CODES.get(code);
  if (connection !== undefined) return hasSyscall(cause, /^(?:connect|getaddrinfo)/) ? UNREACHABLE : connection;
  if (message.startsWith('Checksum mismatch')) return DAMAGED_ANSWER;
  if (code === 'TimeoutError') return UNREACHABLE;
  if (/^(?:Connection lost|aborted|socket hang up)/.test(message)) return BROKEN_OFF;
  if (!sent && /region is missing/i.test(message)) return NO_REGION;
  return sent ? BAD_ANSWER : NOT_SENT;
}

const DAMAGED_ANSWER: Meaning = {
  kind: 'corrupt',
  code: 'STORE_CORRUPT',
  says: 'the bytes do not fit the checksum that they were stored with',
  advice: 'They were not used. Repeat it; if it stays so, the object is damaged.',
};
const NOT_SENT: Meaning = {
  kind: 'denied',
  code: 'STORE_CREDENTIALS',
  says: 'the request could not be made ready',
  advice:
    'See what the AWS SDK is given on this machine: its variables, its profile, the command or the role that gives credentials.',
};

const ENDS: Readonly<Record<WatchEnd, string>> = {
  aborted: 'The caller aborted it.',
  deadline: 'No answer came before its deadline.',
  stalled: 'Nothing moved on the connection for too long.',
};

/** The error for what ended before its time, when nothing was published yet. */
export function givenUp(about: string, ended: WatchEnd): StoreError {
  const [code, advice] =
    ended === 'aborted'
      ? (['STORE_ABORTED', 'Nothing was done; repeat it when wanted.'] as const)
      : (['STORE_TIMEOUT', 'Look at the server and the network; if they are only slow, raise the deadline.'] as const);
  return new StoreError('retry', code, `${about} was given up. ${ENDS[ended]} ${advice}`);
}

function endedFailure({ about, publishes, sent }: FailedRequest, ended: WatchEnd): S3Failure {
  if (!publishes || !sent) {
    const error = givenUp(about, ended);
    return { error, s3Code: error.code, outcome: sent ? 'unanswered' : 'nothing-done' };
  }
  const error =
    ended === 'aborted'
      ? new StoreError(
          'lost',
          'STORE_ABORTED',
          `${about} was given up on its way, so whether it took effect is not known.`,
        )
      : outcomeUnknown(about, ENDS[ended], undefined);
  return { error, s3Code: error.code, outcome: 'unanswered' };
}

function errorOf(request: FailedRequest, meaning: Meaning, facts: Facts): StoreError {
  const { kind, code, says, advice } = meaning;
  const answer = facts.status === undefined ? facts.code : `${facts.status} ${facts.code}`;
  const region = request.responseHeaders['x-amz-bucket-region'];
  const where =
    code === 'STORE_REDIRECT_REFUSED' && region !== undefined
      ? ` The bucket is in region ${scrubbed(region, request.secrets)}.`
      : '';
  return new StoreError(
    kind,
    code,
    `${request.about} failed: ${says} (${scrubbed(answer, request.secrets)}).${where} ${advice}`,
    {
      cause: causeOf(request, meaning, facts),
    },
  );
}

/**
 * What the SDK threw, made harmless. Its own error object must not be kept: the server's whole answer hangs on it, and a server
 * that refuses a signature sends back the key's id, the signature and what was signed.
 */
function causeOf(
  { secrets, responseHeaders }: FailedRequest,
  meaning: Meaning,
  { code, status, message }: Facts,
): Error {
  // What programs say that were to make credentials may hold some, which are not known here.
  const text = meaning.code === 'STORE_CREDENTIALS' ? '' : scrubbed(message, secrets);
  const requestId = responseHeaders['x-amz-request-id'];
  const cause = new Error(text === '' ? scrubbed(code, secrets) : text);
  return Object.assign(cause, {
    name: scrubbed(code, secrets),
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId: scrubbed(requestId, secrets) }),
  });
}

function factsOf({ cause, status: answered }: FailedRequest): Facts {
  const { name, code, message, $metadata } = Object(cause) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const told = $metadata?.httpStatusCode;
  if (typeof told === 'number') return { code: text(name) || 'unknown', status: told, message: text(message) };
  const ownCode = text(code) || text(name) || 'unknown';
  // A connection that breaks in the middle of an answer is no answer.
  return { code: ownCode, status: CONNECTION_CODES.has(ownCode) ? undefined : answered, message: text(message) };
}

function hasSyscall(cause: unknown, form: RegExp): boolean {
  const { syscall, errors } = Object(cause) as { readonly syscall?: unknown; readonly errors?: unknown };
  if (Array.isArray(errors)) return errors.every((error) => hasSyscall(error, form));
  return typeof syscall === 'string' && form.test(syscall);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
