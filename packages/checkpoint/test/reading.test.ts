import { actor, type AnyActor } from '@tidemark/actors';
import {
  actorView,
  boundaryName,
  census,
  diffUnits,
  encodeBoundary,
  encodeRecord,
  jobInStore,
  keyedUnits,
  logName,
  NO_MAPPING,
  planRestore,
  readCheckpoint,
  readLog,
  readPart,
  sortedUnits,
  unitText,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { JOB, JobLog } from './support/job-log.ts';
import { sha256, writePart } from './support/parts.ts';
import { recordOf } from './support/records.ts';

let job: JobLog;
beforeEach(async () => {
  job = await JobLog.open();
});

const record = (position: number): string => logName(JOB, position);

async function damage(name: string): Promise<void> {
  const bytes = Uint8Array.from(await job.store.get(name));
  bytes[bytes.length >> 1] ^= 1;
  await job.store.replace(name, bytes);
}

async function boundaryAt(position: number, given: { readonly hash?: string } = {}): Promise<void> {
  const hash = given.hash ?? sha256(await job.store.get(record(position)));
  await job.store.putIfAbsent(boundaryName(JOB, position), encodeBoundary({ position, hash, term: 1, cut: 1 }));
}

/** `3 checkpoint`, `2 abandoned checkpoint`, `1 term`. */
async function lines(): Promise<string[]> {
  return (await readLog(job.store, JOB)).lines.map((line) => {
    const standing = line.standing === 'line' ? '' : `${line.standing} `;
    const oldest = line.kind === 'missing' && line.oldest < line.position ? ` from ${line.oldest}` : '';
    return `${line.position} ${standing}${line.kind}${oldest}`;
  });
}

describe('a log is shown', () => {
  it('newest first, with all that a list needs', async () => {
    await job.term('fresh');
    await job.checkpoint({ releases: true, createdAt: '2026-01-01T00:00:00.000Z' });
    const { lines: found, boundary } = await readLog(job.store, JOB);
    expect(boundary).toBeNull();
    expect(found).toMatchObject([
      { kind: 'checkpoint', position: 2, standing: 'line', workers: 0, record: { releases: true, cut: 1 } },
      { kind: 'term', position: 1, standing: 'line', record: { from: 'fresh', host: 'somewhere' } },
    ]);
    expect(found[0]).toHaveProperty('bytes', (await job.store.get(`${JOB}/part/1-1-0-00ff`)).length);
  });

  it('empty', async () => {
    expect(await lines()).toEqual([]);
  });

  it('with what a later term has left out marked (C14)', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await job.checkpoint();
    await job.checkpoint();
    await job.term(3);
    await job.checkpoint();
    expect(await lines()).toEqual([
      '6 checkpoint',
      '5 term',
      '4 abandoned checkpoint',
      '3 checkpoint',
      '2 checkpoint',
      '1 term',
    ]);
    await job.term('fresh');
    expect(await lines()).toEqual(['7 term', ...(await lines()).slice(1)]);
    expect((await lines()).slice(1).every((line) => line.includes(' abandoned '))).toBe(true);
  });

  it('with a damaged record marked, and no certainty about what lies below', async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
    await damage(record(3));
    expect(await lines()).toEqual(['4 checkpoint', '3 damaged', '2 unknown checkpoint', '1 unknown term']);
  });

  it('with a record that was exchanged for another marked', async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
    await job.store.replace(record(3), encodeRecord(recordOf({ position: 3, cut: 2 })));
    expect((await lines())[1]).toBe('3 damaged');
    await job.store.replace(record(2), await job.store.get(record(4)));
    expect((await lines())[2]).toBe('2 unknown damaged');
  });

  it('with gaps, also at its beginning', async () => {
    await job.term('fresh');
    for (let i = 0; i < 5; i++) await job.checkpoint();
    for (const position of [1, 3, 4]) await job.store.delete(record(position));
    expect(await lines()).toEqual([
      '6 checkpoint',
      '5 checkpoint',
      '4 missing from 3',
      '2 unknown checkpoint',
      '1 unknown missing',
    ]);
  });

  it('without complaints about what retention has removed, or left half removed', async () => {
    await job.term('fresh');
    for (let i = 0; i < 5; i++) await job.checkpoint();
    await boundaryAt(5);
    for (const position of [1, 2, 4]) await job.store.delete(record(position));
    expect(await lines()).toEqual(['6 checkpoint', '5 checkpoint', '3 checkpoint']);
    await job.store.delete(record(5));
    expect(await lines()).toEqual(['6 checkpoint', '5 missing', '3 unknown checkpoint']);
  });

  it('with a damaged boundary told, which still has its position', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await boundaryAt(2);
    await job.store.delete(record(1));
    await damage(boundaryName(JOB, 2));
    const log = await readLog(job.store, JOB);
    expect(log.boundaryError?.code).toBe('CHECKPOINT_DAMAGED');
    expect(log.lines.map(({ kind }) => kind)).toEqual(['checkpoint']);
  });

  it('while an owner removes records: what goes after the listing is not missing', async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
    const { store } = job;
    const list = store.list.bind(store);
    store.list = async (prefix, options) => {
      const names = await list(prefix, options);
      if (prefix === `${JOB}/log/`) {
        await boundaryAt(3);
        await store.delete(record(1));
        await store.delete(record(2));
      }
      return names;
    };
    expect(await lines()).toEqual(['4 checkpoint', '3 checkpoint']);
  });
});

describe('the job that is meant is', () => {
  it('the only one, or the one that is named', async () => {
    await job.term('fresh');
    expect(await jobInStore(job.store, null)).toBe(JOB);
    await job.store.put('other/gc/00000000000000000001', new Uint8Array());
    await expect(jobInStore(job.store, null)).rejects.toMatchObject({
      code: 'STORE_OTHER_JOB',
      message: expect.stringContaining("'main', 'other'"),
    });
    expect(await jobInStore(job.store, 'other')).toBe('other');
    await expect(jobInStore(job.store, 'third')).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });

  it('none in an empty store, nor in the folder of a job itself', async () => {
    const store = new MemoryStore('job-folder');
    await expect(jobInStore(store, null)).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await store.put('log/00000000000000000001', new Uint8Array());
    await expect(jobInStore(store, null)).rejects.toThrow('give the folder that this one lies in');
  });
});

describe('a checkpoint is read', () => {
  const read = (position: number | null) => readCheckpoint(job.store, { job: null, position });

  it('by its position, or as the newest of the line', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await job.checkpoint();
    await job.term(2);
    expect((await read(3)).record.position).toBe(3);
    expect((await read(null)).record.position).toBe(2);
    await expect(read(1)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
      message: expect.stringMatching('term 1'),
    });
    await expect(read(9)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
      message: expect.stringMatching('2 to 3'),
    });
  });

  it('with the parts that can be read, and what is wrong with the others', async () => {
    await job.term('fresh');
    const parts = [await job.part(1), { ...(await job.part(2)), thread: 1 }];
    await job.checkpoint({ parts });
    await damage(`${JOB}/part/1-1-0-00ff`);
    expect((await read(null)).parts).toMatchObject([
      { ok: false, error: { code: 'CHECKPOINT_DAMAGED' } },
      { ok: true, content: { units: [{ key: 'of-cut-2' }] } },
    ]);
  });

  it('not past a newer one that is damaged or missing, unless it is named', async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
    await damage(record(4));
    await expect(read(null)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    await expect(read(4)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect((await read(3)).record.position).toBe(3);
    await job.store.delete(record(2));
    await expect(read(2)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});

describe('what a checkpoint holds', () => {
  const content = readPart(
    writePart((writer) => {
      writer.unit('account', '10', '', null, { balance: 5 });
      writer.unit('account', '9', '', null, { balance: 4 });
      writer.unit('account', '9', 'open', 2, { id: 2 });
      writer.unit('account', '9', 'open', 10, { id: 10 });
      writer.unit('job', '', 'keyed', 'LAX', { n: 1 });
      writer.unit('job', '', 'keyed', 7, { n: 2 });
      writer.unit('job', '', 'keyed', '7', { n: 3 });
      writer.mail({ type: 'account', key: '9', handler: 'pay', args: [1], reply: null });
      writer.batch({ task: 'job', keys: ['a', 'b'], values: [{ x: 1 }, { x: 2 }], columns: ['x'] });
      writer.batch({ task: 'job', keys: null, values: [{ x: 1 }], columns: null });
      const message = { type: 'account', key: '9', handler: 'pay', args: [2], reply: null };
      const mail = readPart(writePart((other) => other.mail(message)).bytes).mail[0];
      writer.channel(mail, 1);
      writer.outbox(mail, 2);
    }).bytes,
  );

  it('is counted by definition and table, and by receiver and handler', () => {
    expect(census([content])).toEqual({
      units: [
        { type: 'account', table: '', units: 2, bytes: expect.any(Number) },
        { type: 'account', table: 'open', units: 2, bytes: expect.any(Number) },
        { type: 'job', table: 'keyed', units: 3, bytes: expect.any(Number) },
      ],
      motion: [
        { type: 'account', handler: 'pay', at: { mailbox: 1, channel: 1, outbox: 1 }, messages: 3 },
        { type: 'job', handler: null, at: { mailbox: 3, channel: 0, outbox: 0 }, messages: 3 },
      ],
      receivers: [{ type: 'account', key: '9', messages: 3 }],
    });
  });

  it('is listed in an order that people expect', () => {
    expect(sortedUnits(content.units).map(unitText)).toEqual([
      'account/9',
      'account/9 open[2]',
      'account/9 open[10]',
      'account/10',
      'job keyed[7]',
      'job keyed["7"]',
      'job keyed["LAX"]',
    ]);
  });

  it('is decoded by actor and by key', () => {
    expect(actorView(content.units, 'account', '9')).toEqual({
      type: 'account',
      key: '9',
      state: { balance: 4 },
      tables: [
        {
          name: 'open',
          entries: [
            [2, { id: 2 }],
            [10, { id: 10 }],
          ],
        },
      ],
    });
    expect(actorView(content.units, 'account', '8')).toBeNull();
    expect(keyedUnits(content.units, 'job', '7').map(({ tableKey }) => tableKey)).toEqual([7, '7']);
  });

  it('differs by value, not by the order of fields', () => {
    const units = (write: (unit: (key: string, value: unknown) => void) => void) =>
      readPart(writePart((writer) => write((key, value) => writer.unit('a', key, '', null, value))).bytes).units;
    const before = units((unit) => {
      unit('same', { x: 1, y: new Map([[1, 2]]) });
      unit('gone', 1);
      unit('other', { x: 1 });
    });
    const after = units((unit) => {
      unit('other', { x: 1n });
      unit('new', 2);
      unit('same', { y: new Map([[1, 2]]), x: 1 });
    });
    expect(diffUnits(before, after).map(({ kind, before: was, after: is }) => [kind, (is ?? was)?.key])).toEqual([
      ['removed', 'gone'],
      ['added', 'new'],
      ['changed', 'other'],
    ]);
    expect(diffUnits(before, before)).toEqual([]);
  });
});

describe('a plan says of each definition', () => {
  const content = readPart(
    writePart((writer) => {
      writer.unit('account', '1', '', null, {});
      writer.unit('job', '', 'keyed', 'a', {});
      writer.mail({ type: 'letter', key: '1', handler: 'open', args: [], reply: null });
      writer.mail({ type: 'tidemark:answers', key: '1', handler: 'answer', args: [], reply: null });
    }).bytes,
  );
  const plan = (versions: Record<string, number>, tasks: string[] = ['job']) => {
    const stored = recordOf({ definitions: { account: 2, letter: 1, unused: 1 } });
    const definitions = new Map(Object.entries(versions).map(([name, version]) => [name, defined(name, version)]));
    const { rows } = planRestore(stored, [content], { definitions, tasks }, NO_MAPPING);
    return Object.fromEntries(rows.map(({ type, outcome }) => [type, outcome]));
  };
  const defined = (name: string, version: number): AnyActor =>
    actor(name, { version, state: () => ({}), on: { open: () => undefined } });

  it('whether it goes on, is new, or is not missed', () => {
    expect(plan({ account: 2, letter: 1, another: 1 }, ['job', 'next'])).toEqual({
      account: 'mapped',
      another: 'new',
      job: 'mapped',
      letter: 'mapped',
      next: 'new',
      unused: 'empty',
    });
  });

  it('whether a start is refused, for state and for messages', () => {
    expect(plan({ account: 3 }, [])).toMatchObject({ account: 'other-version', letter: 'unclaimed', job: 'unclaimed' });
    expect(plan({})).toMatchObject({ account: 'unclaimed' });
  });
});
