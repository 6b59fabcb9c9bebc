import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  openHdfsStore,
  openHdfsStoreForReading,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreErrorKind,
} from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf } from '../disk-parts.ts';
import { realFolders } from '../real-folder.ts';
import { type Asked, listing, type Script, ScriptedHdfs, thrown } from './scripted-hdfs.ts';

const DEADLINE_MS = 2_000;
/** One of the probe, one of the object that is there. */
const RENAMES_BEFORE = 2;
/** Far past any deadline that a call in here is given. */
const HANGS_MS = 15_000;

let hdfs: ScriptedHdfs;
let store: Store;

beforeEach(async () => {
  hdfs = await ScriptedHdfs.start();
  store = await openHdfsStore(hdfs.location, { stallMs: 400 });
  await store.put('there', bytesOf('0123456789'));
});

afterEach(async () => {
  hdfs.script = () => 'usual';
  await store.close();
  await hdfs.stop();
  expect(hdfs.breaches).toEqual([]);
});

type Call = 'put' | 'stream' | 'putIfAbsent' | 'replace' | 'get' | 'list' | 'delete';
const options = { deadlineMs: DEADLINE_MS };
const CALLS: Readonly<Record<Call, () => Promise<unknown>>> = {
  put: () => store.put('new/put', bytesOf('bytes'), options),
  stream: () => store.put('new/stream', chunks(), options),
  putIfAbsent: () => store.putIfAbsent('new/absent', bytesOf('bytes'), options),
  replace: () => store.replace('new/replaced', bytesOf('bytes'), options),
  get: () => store.get('there', { ...options, bytesMax: 1_000 }),
  list: () => store.list('', options),
  delete: () => store.delete('there', options),
};

interface Row {
  readonly fault: string;
  readonly calls: readonly Call[];
  readonly script: Script;
  readonly code: StoreErrorCode;
  readonly kind: StoreErrorKind;
}

/** Answers an operation always so; everything else as usual. */
function when(
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

const throwing = (exception: string, message?: string) => (response: ServerResponse) => {
  const { status, body } = thrown(exception, message);
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};
const sendingTo = (location: string) => (response: ServerResponse) => response.writeHead(307, { location }).end();
const html = (status: number) => (response: ServerResponse) =>
  response
    .writeHead(status, { 'content-type': 'text/html', location: 'http://127.0.0.1:1/login' })
    .end('<html>Please log in</html>');
const hanging = () => undefined;
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

const ROWS: readonly Row[] = [
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
    script: when(
      'OPEN',
      'data node',
      (response) => void response.writeHead(200, { 'content-length': String(4e12) }).flushHeaders(),
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
    script: when('CREATE', 'name node', (response) =>
      response.writeHead(307, { location: `http://${hdfs.host}/data/webhdfs/v1/x?op=CREATE&overwrite=false` }).end(),
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
    script: async (asked, _response, usual) => {
      if (asked.operation !== 'CREATE' || !asked.isData) return 'usual';
      await usual();
      const file = hdfs.files.get(asked.path);
      if (file !== undefined) file.bytes = file.bytes.subarray(1);
      _response.writeHead(201).end();
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
    script: (asked, response) =>
      asked.operation === 'RENAME' || hdfs.count('RENAME') > RENAMES_BEFORE ? breakingOff(response) : 'usual',
    code: 'STORE_OUTCOME_UNKNOWN',
    kind: 'lost',
  },
  {
    fault: 'a name node that hangs once it was asked to RENAME',
    calls: ['put', 'stream', 'putIfAbsent', 'replace'],
    script: (asked) => (asked.operation === 'RENAME' || hdfs.count('RENAME') > RENAMES_BEFORE ? hanging() : 'usual'),
    code: 'STORE_OUTCOME_UNKNOWN',
    kind: 'lost',
  },
];

describe.each(ROWS)('$fault', ({ calls, script, code, kind }) => {
  test.each(calls)(
    `%s rejects with ${code}`,
    async (call) => {
      hdfs.script = script;
      const error = await rejection(CALLS[call]());
      expect({ code: error.code, kind: error.kind, message: error.message }).toMatchObject({ code, kind });
      expect(error.message, 'one line').not.toMatch(/[\n\r]/);
      // Nothing is seen of what was not stored.
      hdfs.script = () => 'usual';
      if (kind !== 'lost' && call !== 'delete') expect(await store.list('')).toEqual(['there']);
    },
    HANGS_MS,
  );
});

/** Does what was asked and loses the answer, or loses the request, the first time after the store was opened. */
function losing(operation: string, isDone: boolean): Script {
  const before = hdfs.count(operation);
  return async (asked, response, usual) => {
    if (asked.operation !== operation || asked.count !== before + 1) return 'usual';
    if (isDone) await usual();
    response.destroy();
    return undefined;
  };
}

describe('the answer to a rename is lost', () => {
  test.each(['put', 'stream', 'putIfAbsent', 'replace'] as const)('%s, and it was done: stored', async (call) => {
    hdfs.script = losing('RENAME', true);
    expect(await CALLS[call]()).toBe(call === 'putIfAbsent' ? 'stored' : undefined);
    expect(await store.list('new/')).toHaveLength(1);
    expect(hdfs.count('RENAME'), 'sent once').toBe(RENAMES_BEFORE + 1);
  });

  test.each(['put', 'stream', 'putIfAbsent', 'replace'] as const)(
    '%s, and it was not: surely nothing',
    async (call) => {
      hdfs.script = losing('RENAME', false);
      expect(await rejection(CALLS[call]())).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
      await store.close();
      expect([...hdfs.files.keys()], 'the temp file is gone too').toEqual(['/s/there']);
    },
  );

  test.each(['put', 'putIfAbsent'] as const)('%s, and another one has the name: taken', async (call) => {
    const before = hdfs.count('RENAME');
    hdfs.script = async (asked, response, usual) => {
      if (asked.operation !== 'RENAME' || asked.count !== before + 1) return 'usual';
      hdfs.files.set(asked.parameters.get('destination') ?? '', { id: 99_999, bytes: Buffer.from('bytes') });
      await usual();
      response.destroy();
      return undefined;
    };
    const answer = await CALLS[call]().catch((error: unknown) => (error as StoreError).code);
    expect(answer).toBe(call === 'put' ? 'STORE_NAME_TAKEN' : 'taken');
  });

  test('and so is that to deleting the temp file: not known', async () => {
    const before = hdfs.count('DELETE');
    const rename = losing('RENAME', false);
    const remove: Script = async (asked, response, usual) => {
      if (asked.operation !== 'DELETE' || asked.count !== before + 1) return 'usual';
      await usual();
      response.destroy();
      return undefined;
    };
    hdfs.script = async (asked, response, usual) =>
      asked.operation === 'RENAME' ? rename(asked, response, usual) : remove(asked, response, usual);
    const error = await rejection(CALLS.putIfAbsent());
    expect(error).toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN', kind: 'lost' });
    expect(await store.list('new/')).toEqual([]);
  });

  test('and a rename that comes late finds its source gone, so that "taken" and "nothing done" stay true', async () => {
    let late: (() => Promise<unknown>) | undefined;
    const before = hdfs.count('RENAME');
    hdfs.script = (asked, response, usual) => {
      if (asked.operation !== 'RENAME' || asked.count !== before + 1) return 'usual';
      late = usual;
      response.destroy();
      return undefined;
    };
    expect(await rejection(CALLS.putIfAbsent())).toMatchObject({ kind: 'retry' });
    expect(await late?.()).toMatchObject({ status: 404 });
    expect(await store.list('new/')).toEqual([]);
  });

  test('an own entry in the journal is waited for before it counts', async () => {
    const folders = hdfs.count('MKDIRS');
    hdfs.script = losing('RENAME', true);
    await CALLS.putIfAbsent();
    const renamed = hdfs.asked.findLastIndex(({ operation }) => operation === 'RENAME');
    const marked = hdfs.asked.findLastIndex(({ operation }) => operation === 'MKDIRS');
    expect(hdfs.count('MKDIRS')).toBe(folders + 2);
    expect(marked).toBeGreaterThan(renamed);
  });
});

test('a body is written again, under a new name, when a data node loses the first answer', async () => {
  const before = hdfs.count('CREATE', true);
  hdfs.script = async (asked, response, usual) => {
    if (asked.operation !== 'CREATE' || !asked.isData || asked.count !== before + 1) return 'usual';
    await usual();
    response.destroy();
    return undefined;
  };
  expect(await CALLS.putIfAbsent()).toBe('stored');
  const written = hdfs.asked
    .filter(({ operation, isData }) => operation === 'CREATE' && isData)
    .map(({ path }) => path);
  expect(new Set(written).size).toBe(written.length);
});

test('what a streamed body throws is passed on as it is', async () => {
  const mine = new Error('mine');
  async function* body() {
    yield bytesOf('half');
    throw mine;
  }
  await expect(store.put('new/thrown', body())).rejects.toBe(mine);
  expect(await store.list('')).toEqual(['there']);
});

test('a slow source is not a stalled connection', async () => {
  async function* body() {
    yield bytesOf('half');
    await new Promise((resolve) => setTimeout(resolve, 900));
    yield bytesOf('rest');
  }
  await store.put('new/slow', body());
  expect(Buffer.from(await store.get('new/slow')).toString()).toBe('halfrest');
});

test.each(Object.keys(CALLS) as Call[])('%s ends when the caller gives up while a node hangs', async (call) => {
  hdfs.script = hanging;
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  const { signal } = abort;
  const calls: Record<Call, () => Promise<unknown>> = {
    put: () => store.put('x/y', bytesOf('x'), { signal }),
    stream: () => store.put('x/y', chunks(), { signal }),
    putIfAbsent: () => store.putIfAbsent('x/y', bytesOf('x'), { signal }),
    replace: () => store.replace('x/y', bytesOf('x'), { signal }),
    get: () => store.get('there', { signal }),
    list: () => store.list('', { signal }),
    delete: () => store.delete('there', { signal }),
  };
  expect(await rejection(calls[call]())).toMatchObject({ code: 'STORE_ABORTED', kind: 'retry' });
});

describe('opening', () => {
  test('a server that leaves renameoptions out is refused', async () => {
    hdfs.script = when('RENAME', 'name node', (response) => response.end('{"boolean":true}'));
    expect(await rejection(openHdfsStore(hdfs.location))).toMatchObject({ code: 'STORE_UNSAFE', kind: 'fatal' });
  });

  test('for reading changes nothing', async () => {
    hdfs.asked.length = 0;
    const reader = await openHdfsStoreForReading(hdfs.location);
    expect(await reader.list('')).toEqual(['there']);
    await reader.get('there');
    expect(await rejection(reader.put('x', bytesOf('x')))).toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(new Set(hdfs.asked.map(({ operation }) => operation))).toEqual(
      new Set(['GETFILESTATUS', 'LISTSTATUS_BATCH', 'OPEN']),
    );
    await reader.close();
    expect(await rejection(openHdfsStoreForReading(`webhdfs://${hdfs.host}/none`))).toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
    expect(await rejection(openHdfsStoreForReading(`webhdfs://${hdfs.host}/s/there`))).toMatchObject({
      code: 'STORE_NOT_A_FOLDER',
    });
  });

  test('removes what dead writers left, and leaves the rest', async () => {
    const file = { id: 30_000, bytes: Buffer.from('x') };
    hdfs.files.set('/s/tmp/old.part', file).set('/s/tmp/foreign', file);
    const again = await openHdfsStore(hdfs.location);
    await again.close();
    expect([...hdfs.files.keys()]).toEqual(['/s/there', '/s/tmp/foreign']);
  });
});

describe('two name nodes', () => {
  test('both in standby: unreachable at the deadline', async () => {
    const other = await ScriptedHdfs.start();
    try {
      const both = await openHdfsStore(`webhdfs://${hdfs.host},${other.host}/s?user=tester`);
      hdfs.script = other.script = (_asked, response) => throwing('StandbyException')(response);
      const error = await rejection(both.list('', { deadlineMs: 700 }));
      expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
      expect(error.message).toMatch(/StandbyException.*until the deadline/);
      expect(other.count('LISTSTATUS_BATCH'), 'the other one was asked, more than once').toBeGreaterThan(1);
      await both.close();
    } finally {
      await other.stop();
    }
  });

  test('the active one is remembered', async () => {
    const standby = await ScriptedHdfs.start();
    standby.script = (_asked, response) => throwing('StandbyException')(response);
    try {
      const both = await openHdfsStore(`webhdfs://${standby.host},${hdfs.host}/s?user=tester`);
      expect(await both.list('')).toEqual(['there']);
      expect(standby.asked).toHaveLength(1);
      await both.close();
    } finally {
      await standby.stop();
    }
  });
});

describe('secrets', () => {
  const newFolder = realFolders();
  const tokenFile = () => join(newFolder(), 'token');

  test('an expired token is read again from its file, once', async () => {
    const file = tokenFile();
    writeFileSync(file, 'OLD-TOKEN\n');
    const withToken = await openHdfsStore(`webhdfs://${hdfs.host}/s?delegation-token-file=${encodeURIComponent(file)}`);
    hdfs.script = (asked, response) =>
      asked.isData || asked.parameters.get('delegation') === 'NEW-TOKEN'
        ? 'usual'
        : throwing('InvalidToken', 'token is expired')(response);
    expect(await rejection(withToken.list(''))).toMatchObject({ code: 'STORE_CREDENTIALS', kind: 'denied' });
    writeFileSync(file, 'NEW-TOKEN\n');
    expect(await withToken.list('')).toEqual(['there']);
    expect(hdfs.asked.at(-1)?.parameters.has('user.name'), 'no name beside a token').toBe(false);
    await withToken.close();
  });

  test('a command gives the token, and its failure shows neither it nor what it printed', async () => {
    const environment = { HDFS_DELEGATION_TOKEN_COMMAND: 'echo TOKEN-OF-A-COMMAND' };
    const opened = await openHdfsStore(`webhdfs://${hdfs.host}/s`, { environment });
    expect(hdfs.asked.at(-1)?.parameters.get('delegation')).toBe('TOKEN-OF-A-COMMAND');
    await opened.close();
    const failing = { HDFS_DELEGATION_TOKEN_COMMAND: 'echo canary; echo canary >&2; exit 3' };
    const error = await rejection(openHdfsStore(`webhdfs://${hdfs.host}/s`, { environment: failing }));
    expect(error).toMatchObject({ code: 'STORE_CREDENTIALS', kind: 'denied' });
    expect(everything(error)).not.toMatch(/canary/);
  });

  test.each(ROWS.filter(({ fault }) => !fault.includes('never') && !fault.includes('hangs')))(
    'neither token nor password is in any error: $fault',
    async ({ calls, script }) => {
      const environment = {
        HDFS_DELEGATION_TOKEN: 'canary-TOKEN',
        HDFS_BASIC_USER: 'me',
        HDFS_BASIC_PASSWORD: 'canary password',
      };
      await store.close();
      store = await openHdfsStore(`webhdfs://${hdfs.host}/s`, { environment, stallMs: 400 });
      hdfs.script = script;
      for (const call of calls) {
        const error = await rejection(CALLS[call]());
        expect(everything(error)).not.toMatch(/canary/i);
        expect(everything(error)).not.toContain(Buffer.from('me:canary password').toString('base64'));
      }
      expect(inspect(store, { depth: 20, showHidden: true })).not.toMatch(/canary/i);
    },
    HANGS_MS,
  );

  test('what a server says of them is taken out', async () => {
    const environment = {
      HDFS_DELEGATION_TOKEN: 'canary-TOKEN',
      HDFS_BASIC_USER: 'me',
      HDFS_BASIC_PASSWORD: 'canary password',
    };
    const opened = await openHdfsStore(`webhdfs://${hdfs.host}/s`, { environment });
    hdfs.script = (_asked, response) =>
      throwing('IOException', 'url=/x?delegation=canary-TOKEN&p=canary%20password\n\tat java.lang.Thread')(response);
    const error = await rejection(opened.list(''));
    expect(everything(error)).not.toMatch(/canary|java\.lang/);
    expect(error.message).toContain('delegation=***');
    await opened.close();
  });
});

test('what was sent and received is counted by operation', async () => {
  await store.put('new/counted', bytesOf('12345'));
  await store.get('new/counted');
  const { requests, bytesSent, bytesReceived } = store.traffic?.() ?? { requests: {}, bytesSent: 0, bytesReceived: 0 };
  expect(requests).toMatchObject({ CREATE: 4, OPEN: 2, RENAME: 3 });
  expect(bytesSent).toBe(15);
  expect(bytesReceived).toBeGreaterThan(5);
});

describe('the scripted server itself keeps the contract, so that only its scripts are at fault', () => {
  const rules = storeConformance(async () => {
    hdfs.files.clear();
    return openHdfsStore(`webhdfs://${hdfs.host}/c${++contracts}`);
  });
  for (const { name, run } of rules.filter(({ name }) => /^S1|^S3: putIfAbsent|^get: a range is/.test(name)))
    test(name, run);
});
let contracts = 0;

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield bytesOf('by');
  yield bytesOf('tes');
}

async function rejection(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (answer) => new Error(`it resolved with ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof StoreError) return error;
  throw error;
}

/** All that a log could show of an error. */
function everything(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)} ${String(error)}`;
}
