import type { ServerResponse } from 'node:http';
import type { StoreErrorCode, StoreErrorKind } from '@tidemark/stores';
import { type Asked, listing, type Script, thrown } from './scripted-hdfs.ts';

/** The calls that rows are about, as the fixture makes them. */
export type Call = 'put' | 'stream' | 'putIfAbsent' | 'replace' | 'get' | 'list' | 'delete';

/** Renames before the first call of a test: one of the probe, one of the object that is there. */
export const RENAMES_BEFORE = 2;

/** What a server does, and what the store says then. */
export interface Row {
  readonly fault: string;
  readonly calls: readonly Call[];
  readonly script: Script;
  readonly code: StoreErrorCode;
  readonly kind: StoreErrorKind;
}

/** Answers an operation always so; everything else as usual. */
export function when(
  operation: string,
  hop: 'name node' | 'data node',
  act: (response: ServerResponse, asked: Asked) => void,
): Script {
  return (asked, response) => {
    if (asked.operation !== operation || asked.isData !== (hop === 'data node')) return 'usual';
    act(response, asked);
    return undefined;
  };
}

export const throwing = (exception: string, message?: string) => (response: ServerResponse) => {
  const { status, body } = thrown(exception, message);
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};
const sendingTo = (location: string) => (response: ServerResponse) => response.writeHead(307, { location }).end();
const html = (status: number) => (response: ServerResponse) =>
  response
    .writeHead(status, { 'content-type': 'text/html', location: 'http://127.0.0.1:1/login' })
    .end('<html>Please log in</html>');
export const hanging = () => undefined;
const breakingOff = (response: ServerResponse) => void response.destroy();
const endless = (response: ServerResponse) => {
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
  };
  response.writeHead(200, { 'content-type': 'application/json' }).on('drain', more);
  more();
};

const REDIRECTS = [
  'http://evil.example.com:9864/webhdfs/v1/x?op=CREATE',
  'http://169.254.169.254/latest/meta-data',
  'http://[fe80::1]:9864/x',
  'http://0.0.0.0:9864/x',
  'http://10.0.0.1:9864/x',
  'http://[::ffff:169.254.169.254]/x',
  'ftp://127.0.0.1/x',
  'file:///etc/passwd',
  'http://user:pw@127.0.0.1/x',
  'no url',
];

/** What the cluster throws → what the store says, where nothing is special about the call. */
const EXCEPTIONS: readonly (readonly [string, StoreErrorCode, StoreErrorKind, string?])[] = [
  ['AccessControlException', 'STORE_DENIED', 'denied'],
  ['AuthorizationException', 'STORE_DENIED', 'denied'],
  ['InvalidToken', 'STORE_CREDENTIALS', 'denied'],
  ['SecretManager$InvalidToken', 'STORE_CREDENTIALS', 'denied'],
  ['SecurityException', 'STORE_CREDENTIALS', 'denied'],
  ['AuthenticationException', 'STORE_CREDENTIALS', 'denied'],
  ['DSQuotaExceededException', 'STORE_FULL', 'retry'],
  ['NSQuotaExceededException', 'STORE_FULL', 'retry'],
  ['DiskChecker$DiskOutOfSpaceException', 'STORE_FULL', 'retry'],
  ['StandbyException', 'STORE_UNREACHABLE', 'retry'],
  ['SafeModeException', 'STORE_UNREACHABLE', 'retry'],
  ['RetriableException', 'STORE_UNREACHABLE', 'retry'],
  ['IOException', 'STORE_UNREACHABLE', 'retry', 'Failed to find datanode, suggest to check cluster health.'],
  ['IOException', 'STORE_IO', 'retry'],
  ['SomethingNewException', 'STORE_IO', 'retry'],
  ['ParentNotDirectoryException', 'STORE_NOT_A_FOLDER', 'fatal'],
  ['UnsupportedOperationException', 'STORE_BAD_ANSWER', 'fatal'],
];

export const ROWS: readonly Row[] = [
  ...REDIRECTS.flatMap((location): Row[] => [
    {
      fault: `a redirect to ${location}`,
      calls: ['put', 'stream', 'putIfAbsent', 'replace'],
      script: when('CREATE', 'name node', sendingTo(location)),
      code: 'STORE_REDIRECT_REFUSED',
      kind: 'denied',
    },
    {
      fault: `a redirect to ${location}`,
      calls: ['get'],
      script: when('OPEN', 'name node', sendingTo(location)),
      code: 'STORE_REDIRECT_REFUSED',
      kind: 'denied',
    },
  ]),
  {
    fault: 'a data node that sends us on',
    calls: ['put', 'stream'],
    script: when('CREATE', 'data node', sendingTo('http://127.0.0.1:1/x')),
    code: 'STORE_REDIRECT_REFUSED',
    kind: 'denied',
  },
  {
    fault: 'a data node that sends us on',
    calls: ['get'],
    script: when('OPEN', 'data node', sendingTo('http://127.0.0.1:1/x')),
    code: 'STORE_REDIRECT_REFUSED',
    kind: 'denied',
  },
  ...EXCEPTIONS.flatMap(([exception, code, kind, message]): Row[] =>
    (
      [
        ['MKDIRS', ['put', 'putIfAbsent', 'replace']],
        ['LISTSTATUS_BATCH', ['list']],
        ['DELETE', ['delete']],
        ['OPEN', ['get']],
      ] as const
    ).map(([operation, calls]) => ({
      fault: `${exception} (${message ?? 'because'}) from ${operation}`,
      calls,
      script: when(operation, 'name node', throwing(exception, message)),
      code,
      kind,
    })),
  ),
  {
    fault: 'a full disk behind a data node',
    calls: ['put', 'stream'],
    script: when('CREATE', 'data node', throwing('DSQuotaExceededException')),
    code: 'STORE_FULL',
    kind: 'retry',
  },
  {
    fault: 'no right to write, told by a data node',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: when('CREATE', 'data node', throwing('AccessControlException')),
    code: 'STORE_DENIED',
    kind: 'denied',
  },
  {
    fault: '{"boolean":false} from MKDIRS',
    calls: ['put', 'putIfAbsent', 'replace'],
    script: when('MKDIRS', 'name node', (response) => response.end('{"boolean":false}')),
    code: 'STORE_IO',
    kind: 'retry',
  },
  {
    fault: '{"boolean":"true"} from MKDIRS',
    calls: ['put', 'putIfAbsent', 'replace'],
    script: when('MKDIRS', 'name node', (response) => response.end('{"boolean":"true"}')),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: '{"boolean":false} from RENAME',
    calls: ['put', 'putIfAbsent', 'replace'],
    script: when('RENAME', 'name node', (response) => response.end('{"boolean":false}')),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: 'an exception from RENAME',
    calls: ['put', 'putIfAbsent', 'replace'],
    script: when('RENAME', 'name node', throwing('NSQuotaExceededException')),
    code: 'STORE_FULL',
    kind: 'retry',
  },
  {
    fault: 'a RENAME that says that the source is gone, and it is there',
    calls: ['put', 'putIfAbsent'],
    script: when('RENAME', 'name node', throwing('FileNotFoundException')),
    code: 'STORE_IO',
    kind: 'retry',
  },
  ...[200, 302, 401, 403, 404, 418, 429, 500, 503].map(
    (status): Row => ({
      fault: `a page of HTML with status ${status}`,
      calls: ['put', 'stream', 'putIfAbsent', 'replace', 'get', 'list', 'delete'],
      script: (_asked, response) => void html(status)(response),
      code:
        status === 401
          ? 'STORE_CREDENTIALS'
          : status === 403
            ? 'STORE_DENIED'
            : status >= 429
              ? 'STORE_UNREACHABLE'
              : 'STORE_BAD_ANSWER',
      kind: status === 401 || status === 403 ? 'denied' : status >= 429 ? 'retry' : 'fatal',
    }),
  ),
  ...['', '{', '{"DirectoryListing":{"partialListing":', '[]', 'null', '{"FileStatuses":{}}'].map(
    (body): Row => ({
      fault: `a listing that is ${JSON.stringify(body)}`,
      calls: ['list'],
      script: when('LISTSTATUS_BATCH', 'name node', (response) => response.end(body)),
      code: 'STORE_BAD_ANSWER',
      kind: 'fatal',
    }),
  ),
  {
    fault: 'a listing whose connection breaks off',
    calls: ['list'],
    script: when('LISTSTATUS_BATCH', 'name node', (response) => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .write(JSON.stringify(listing([], 0)), () => response.destroy());
    }),
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'a listing shorter than its content-length',
    calls: ['list'],
    script: when('LISTSTATUS_BATCH', 'name node', (response) => {
      response
        .writeHead(200, { 'content-length': '9999' })
        .write(JSON.stringify(listing([], 0)), () => response.destroy());
    }),
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'a listing that gives the same page again and again',
    calls: ['list'],
    script: when('LISTSTATUS_BATCH', 'name node', (response) => {
      const same = { pathSuffix: 'a', type: 'FILE', length: 1, fileId: 20_000, modificationTime: 0 };
      response.end(JSON.stringify(listing([same], 1)));
    }),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: 'a listing without an end',
    calls: ['list'],
    script: when('LISTSTATUS_BATCH', 'name node', endless),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: 'an object without an end',
    calls: ['get'],
    script: when('OPEN', 'data node', endless),
    code: 'STORE_TOO_LARGE',
    kind: 'corrupt',
  },
  {
    fault: 'an object of 4 TB',
    calls: ['get'],
    script: when('OPEN', 'data node', (response) =>
      response.writeHead(200, { 'content-length': String(4e12) }).flushHeaders(),
    ),
    code: 'STORE_TOO_LARGE',
    kind: 'corrupt',
  },
  {
    fault: 'an object shorter than its content-length',
    calls: ['get'],
    script: when('OPEN', 'data node', (response) => {
      response.writeHead(200, { 'content-length': '10' }).write('01234', () => response.destroy());
    }),
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'an object that stops in the middle, without its length',
    calls: ['get'],
    script: when('OPEN', 'data node', (response) =>
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('01234'),
    ),
    code: 'STORE_IO',
    kind: 'retry',
  },
  {
    fault: 'a redirect without a place',
    calls: ['put', 'stream'],
    script: when('CREATE', 'name node', (response) => response.writeHead(307).end()),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: 'a cluster too old for SYNC_BLOCK',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: when('CREATE', 'name node', (response, { headers }) =>
      response
        .writeHead(307, { location: `http://${headers.host ?? ''}/data/webhdfs/v1/x?op=CREATE&overwrite=false` })
        .end(),
    ),
    code: 'STORE_UNSAFE',
    kind: 'fatal',
  },
  {
    fault: 'a data node that says 200 where 201 is due',
    calls: ['put', 'stream'],
    script: when('CREATE', 'data node', (response) => response.writeHead(200).end()),
    code: 'STORE_BAD_ANSWER',
    kind: 'fatal',
  },
  {
    fault: 'a data node that keeps less than it acknowledged',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: async (asked, response, usual, server) => {
      if (asked.operation !== 'CREATE' || !asked.isData) return 'usual';
      await usual();
      const file = server.files.get(asked.path);
      if (file !== undefined) file.bytes = file.bytes.subarray(1);
      response.writeHead(201).end();
      return undefined;
    },
    code: 'STORE_IO',
    kind: 'retry',
  },
  {
    fault: 'a data node that loses every reply',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: async (asked, response, usual) => {
      if (asked.operation !== 'CREATE' || !asked.isData) return 'usual';
      await usual();
      response.destroy();
      return undefined;
    },
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'a data node that breaks the connection',
    calls: ['get'],
    script: when('OPEN', 'data node', breakingOff),
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'a data node that takes the body and never answers',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: when('CREATE', 'data node', hanging),
    code: 'STORE_TIMEOUT',
    kind: 'retry',
  },
  {
    fault: 'a data node that never answers',
    calls: ['get'],
    script: when('OPEN', 'data node', hanging),
    code: 'STORE_TIMEOUT',
    kind: 'retry',
  },
  {
    fault: 'a name node that never answers',
    calls: ['put', 'stream', 'putIfAbsent', 'replace', 'get', 'list', 'delete'],
    script: hanging,
    code: 'STORE_TIMEOUT',
    kind: 'retry',
  },
  {
    fault: 'a name node that breaks every connection',
    calls: ['put', 'stream', 'putIfAbsent', 'replace', 'get', 'list', 'delete'],
    script: (_asked, response) => breakingOff(response),
    code: 'STORE_UNREACHABLE',
    kind: 'retry',
  },
  {
    fault: 'a name node that is gone once it was asked to RENAME',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: (asked, response, _usual, server) =>
      asked.operation === 'RENAME' || server.count('RENAME') > RENAMES_BEFORE ? breakingOff(response) : 'usual',
    code: 'STORE_OUTCOME_UNKNOWN',
    kind: 'lost',
  },
  {
    fault: 'a name node that hangs once it was asked to RENAME',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: (asked, _response, _usual, server) =>
      asked.operation === 'RENAME' || server.count('RENAME') > RENAMES_BEFORE ? hanging() : 'usual',
    code: 'STORE_OUTCOME_UNKNOWN',
    kind: 'lost',
  },
];
