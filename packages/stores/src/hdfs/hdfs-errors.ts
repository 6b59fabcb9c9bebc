import { StoreError, type StoreErrorCode, type StoreErrorKind } from '../errors.ts';
import { MESSAGE_CHARS_MAX } from './hdfs-limits.ts';

/** What a cluster's exception means to a store, and what a person should do. */
interface Meaning {
  readonly kind: StoreErrorKind;
  readonly code: StoreErrorCode;
  readonly says: string;
  readonly advice: string;
  /** This name node surely did nothing, and another one, or the same one later, may do it. */
  readonly isElsewhere?: true;
}

const NOT_NOW = {
  kind: 'retry',
  code: 'STORE_UNREACHABLE',
  isElsewhere: true,
} as const satisfies Partial<Meaning>;
const STANDBY: Meaning = {
  ...NOT_NOW,
  says: 'this name node is not the active one',
  advice: 'Name all name nodes in the location; see `hdfs haadmin -getAllServiceState`.',
};
const SAFE_MODE: Meaning = {
  ...NOT_NOW,
  says: 'the cluster is in safe mode',
  advice: 'It leaves it by itself once enough blocks are reported; see `hdfs dfsadmin -safemode get`.',
};
const STARTING: Meaning = { ...NOT_NOW, says: 'the name node asks to try again', advice: 'Repeat later.' };
const NO_DATA_NODE: Meaning = {
  kind: 'retry',
  code: 'STORE_UNREACHABLE',
  says: 'no data node can do it now',
  advice: 'See that data nodes run and have room: `hdfs dfsadmin -report`.',
};
const CONNECTION_INSIDE: Meaning = {
  kind: 'retry',
  code: 'STORE_UNREACHABLE',
  says: 'a connection inside the cluster broke',
  advice: 'Repeat later; see that its name nodes and data nodes run.',
};
const BEING_WRITTEN: Meaning = {
  kind: 'retry',
  code: 'STORE_BUSY',
  says: 'the file is still open for writing',
  advice: 'Repeat later.',
};
const DENIED: Meaning = {
  kind: 'denied',
  code: 'STORE_DENIED',
  says: 'this user may not do that there',
  advice:
    'Give the user the right to read and write the folder, name another user (?user=NAME), or use another folder.',
};
const CREDENTIALS: Meaning = {
  kind: 'denied',
  code: 'STORE_CREDENTIALS',
  says: 'the credentials are missing, wrong or expired',
  advice:
    'Renew the delegation token (HDFS_DELEGATION_TOKEN, ?delegation-token-file=, HDFS_DELEGATION_TOKEN_COMMAND) or the ' +
    'password (HDFS_BASIC_PASSWORD).',
};
const FULL: Meaning = {
  kind: 'retry',
  code: 'STORE_FULL',
  says: 'the quota or the disks are full',
  advice: 'Free space, keep fewer checkpoints, or raise the quota (`hdfs dfsadmin -setSpaceQuota`).',
};
const ABSENT: Meaning = {
  kind: 'absent',
  code: 'STORE_ABSENT',
  says: 'it is not there',
  advice: 'List its folder to see what is there.',
};
const TAKEN: Meaning = {
  kind: 'fatal',
  code: 'STORE_NAME_TAKEN',
  says: 'the name is taken',
  advice: 'Put under a name that nobody used before.',
};
const FILE_ON_THE_WAY: Meaning = {
  kind: 'fatal',
  code: 'STORE_NOT_A_FOLDER',
  says: 'a part of this path is a file, not a folder',
  advice: 'Move that file away or use another folder.',
};
const BAD_NAME: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_NAME',
  says: 'HDFS takes no such path',
  advice: 'Use a shorter or plainer name.',
};
const UNKNOWN_TO_SERVER: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_ANSWER',
  says: 'the server does not know this operation',
  advice: 'Use WebHDFS of Hadoop 3.0 or later, of a name node itself or behind Knox.',
};
const NOT_EMPTY: Meaning = {
  kind: 'fatal',
  code: 'STORE_BAD_NAME',
  says: 'a folder that is not empty has this name',
  advice: 'Use a name that is not the beginning of others.',
};
/** Whatever has no line: a cluster's `IOException` may be anything, so it is worth another try and never counts as "absent". */
const INPUT_OUTPUT: Meaning = {
  kind: 'retry',
  code: 'STORE_IO',
  says: 'the cluster failed',
  advice: "Look at the name node's and data nodes' logs.",
};

/**
 * By `RemoteException.exception`, the only thing to go by: the status is 403 for nearly all of them. Nested classes are
 * listed without the outer one.
 */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['StandbyException', STANDBY],
  ['ObserverRetryOnActiveException', STANDBY],
  ['SafeModeException', SAFE_MODE],
  ['RetriableException', STARTING],
  ['NotReplicatedYetException', NO_DATA_NODE],
  ['BlockMissingException', NO_DATA_NODE],
  ['ReplicaNotFoundException', NO_DATA_NODE],
  ['CannotObtainBlockLengthException', NO_DATA_NODE],
  ['ConnectException', CONNECTION_INSIDE],
  ['ConnectTimeoutException', CONNECTION_INSIDE],
  ['SocketException', CONNECTION_INSIDE],
  ['SocketTimeoutException', CONNECTION_INSIDE],
  ['NoRouteToHostException', CONNECTION_INSIDE],
  ['UnknownHostException', CONNECTION_INSIDE],
  ['EOFException', CONNECTION_INSIDE],
  ['ClosedChannelException', CONNECTION_INSIDE],
  ['InterruptedIOException', CONNECTION_INSIDE],
  ['AlreadyBeingCreatedException', BEING_WRITTEN],
  ['RecoveryInProgressException', BEING_WRITTEN],
  ['LeaseExpiredException', BEING_WRITTEN],
  ['AccessControlException', DENIED],
  ['AuthorizationException', DENIED],
  ['SecurityException', CREDENTIALS],
  ['InvalidToken', CREDENTIALS],
  ['AuthenticationException', CREDENTIALS],
  ['QuotaExceededException', FULL],
  ['DSQuotaExceededException', FULL],
  ['NSQuotaExceededException', FULL],
  ['QuotaByStorageTypeExceededException', FULL],
  ['MaxDirectoryItemsExceededException', FULL],
  ['DiskOutOfSpaceException', FULL],
  ['OutOfSpaceException', FULL],
  ['FileNotFoundException', ABSENT],
  ['FileAlreadyExistsException', TAKEN],
  ['PathIsNotEmptyDirectoryException', NOT_EMPTY],
  ['ParentNotDirectoryException', FILE_ON_THE_WAY],
  ['InvalidPathException', BAD_NAME],
  ['PathComponentTooLongException', BAD_NAME],
  ['UnsupportedOperationException', UNKNOWN_TO_SERVER],
  ['IllegalArgumentException', UNKNOWN_TO_SERVER],
]);

/** Plain `IOException`s that can be told apart by their text alone, and how. */
const TEXTS: readonly (readonly [RegExp, Meaning])[] = [
  [/Failed to find datanode|could only be (?:written|replicated) to/, NO_DATA_NODE],
  [/InvalidToken/, CREDENTIALS],
];

/** What a cluster threw, as WebHDFS tells it. */
export interface RemoteException {
  readonly exception: string;
  readonly message: string;
}

/** An error of this store with what the recipe must know of it. */
export class HdfsError extends StoreError {
  /** The class of the cluster's exception, without package and outer class; undefined when no answer of the cluster came. */
  readonly exception: string | undefined;
  /** The server may have done what it was asked for. */
  readonly isDoneMaybe: boolean;
  /** Nothing was done here, and another name node, or the same one later, may do it. */
  readonly isElsewhere: boolean;

  constructor(
    kind: StoreErrorKind,
    code: StoreErrorCode,
    message: string,
    facts: {
      readonly exception?: string;
      readonly isDoneMaybe?: boolean;
      readonly isElsewhere?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(kind, code, message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.exception = facts.exception;
    this.isDoneMaybe = facts.isDoneMaybe === true;
    this.isElsewhere = facts.isElsewhere === true;
  }
}

/** The error for what a cluster threw when it was asked to do something. */
export function remoteError(doing: string, place: string, { exception, message }: RemoteException): HdfsError {
  const { kind, code, says, advice, isElsewhere } =
    TEXTS.find(([text]) => text.test(message) && !MEANINGS.has(exception))?.[1] ??
    MEANINGS.get(exception) ??
    INPUT_OUTPUT;
  return new HdfsError(
    kind,
    code,
    `Could not ${doing} at ${place}: ${says} (${exception}: ${firstLine(message)}). ${advice}`,
    { exception, isElsewhere: isElsewhere === true, isDoneMaybe: isElsewhere !== true },
  );
}

/** Node's errors for a connection that never came to be: nothing was sent. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
]);

/** Node's errors for a server that is not the one that its certificate should name, or does not speak TLS. */
const BAD_CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS_|ERR_SSL_|EPROTO/;

/** The error for a connection that failed. Node's own error names no path and no query, so it may be kept. */
export function connectionError(doing: string, place: string, cause: unknown): HdfsError {
  const code = errorCode(cause);
  if (BAD_CERTIFICATE.test(code))
    return new HdfsError(
      'fatal',
      'STORE_INSECURE',
      `Could not ${doing} at ${place}: its TLS certificate was refused (${code}). Trust its issuer (NODE_EXTRA_CA_CERTS=FILE), or ` +
        'use the host name that the certificate is for.',
      { isElsewhere: false },
    );
  const isNever = NEVER_CONNECTED.has(code);
  return new HdfsError(
    'retry',
    'STORE_UNREACHABLE',
    `Could not ${doing} at ${place}: ${isNever ? 'it cannot be reached' : 'the connection broke'} (${code}). ` +
      'See that it runs and that the location names its WebHDFS port (9870, with TLS 9871).',
    { isDoneMaybe: !isNever, isElsewhere: isNever, cause },
  );
}

/** The error for an answer that is not WebHDFS's. Nothing of its text is shown: it may be anything. */
export function badAnswer(doing: string, place: string, what: string): HdfsError {
  return new HdfsError(
    'fatal',
    'STORE_BAD_ANSWER',
    `Could not ${doing} at ${place}: ${what}. See that the location names the WebHDFS port of a name node (9870, with TLS 9871), ` +
      'and not a proxy or a login page.',
    { isDoneMaybe: true },
  );
}

/** No answer within the time for one try. */
export function unanswered(doing: string, place: string): HdfsError {
  return new HdfsError(
    'retry',
    'STORE_TIMEOUT',
    `Could not ${doing} at ${place}: no answer in time. Look at the server and the network.`,
    { isDoneMaybe: true },
  );
}

/** The exception in the answer's body, or undefined when there is none. */
export function remoteExceptionIn(text: string): RemoteException | undefined {
  const parsed = parseJson(text);
  const found = isObject(parsed) ? parsed['RemoteException'] : undefined;
  if (!isObject(found) || typeof found['exception'] !== 'string') return undefined;
  const message = typeof found['message'] === 'string' ? found['message'] : '';
  // `SecretManager$InvalidToken` and `DiskChecker.DiskOutOfSpaceException` are told by their last part.
  const exception = found['exception'].split(/[$.]/).at(-1) ?? '';
  return { exception: /^\w{1,80}$/.test(exception) ? exception : 'Exception', message };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `text` says, or undefined when it is not whole JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A Java stack follows the first line. */
function firstLine(message: string): string {
  const line = (message.split('\n', 1)[0] ?? '').replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim();
  return line.length > MESSAGE_CHARS_MAX ? `${line.slice(0, MESSAGE_CHARS_MAX)}…` : line;
}

function errorCode(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'no reason given';
}
