/** Programs to be type-checked: of actors, and of plain classes with the same fields, arguments and results. */

export type Source = readonly [file: string, text: string];

/** Actors that tell each other and are asked by the host; or with a service each, that ask and have timers as well. */
export type Extent = 'tells' | 'asks';

const ROW = `export interface Row {
  readonly id: string;
  readonly at: Date;
  readonly lines: readonly { readonly sku: string; readonly count: number; readonly cents: number }[];
  readonly note?: string;
}
`;

/** One actor a file; each tells the one before it, and the host tells and asks all of them. */
export function actorProgram(count: number, extent: Extent): readonly Source[] {
  return [
    ['row.ts', ROW],
    ...each(count, (n) => [`actor${n}.ts`, actorFile(n, extent)] as const),
    ['host.ts', hostFile(count, extent)],
  ];
}

/** What the actors say, said in classes: the price of the program itself. */
export function classProgram(count: number, extent: Extent): readonly Source[] {
  return [
    ['row.ts', ROW],
    ...each(count, (n) => [`class${n}.ts`, classFile(n, extent)] as const),
    ['host.ts', callsFile(count, extent)],
  ];
}

/** The declarations alone. */
export function importProgram(): readonly Source[] {
  return [
    [
      'host.ts',
      `import { actor, createSystem, type Ref, table } from 'tidemark';\nexport { actor, createSystem, type Ref, table };\n`,
    ],
  ];
}

function actorFile(n: number, extent: Extent): string {
  const asks = (text: string): string => (extent === 'asks' ? text : '');
  const before = n === 0 ? '' : `import { type Actor${n - 1} } from './actor${n - 1}.ts';\n`;
  const forward =
    n === 0
      ? ''
      : `
    forward(ctx, to: Ref<typeof Actor${n - 1}>, row: Row) {
      ctx.tell(to).add(row, row.lines.length);
      ctx.tell(to).put('last', { n: ${n}, tags: [row.id] });${asks(`
      ctx.call(to, { timeoutMs: 1_000 }).take(row.id).into(Actor${n}, 'taken', row.id);
      ctx.call(to).total(row.id, row.at).into(Actor${n}, 'counted', row, ['total']);`)}
      ctx.state.last = to;
    },`;
  const last = n === 0 ? '' : `, last: null as Ref<typeof Actor${n - 1}> | null`;
  return `import { actor, Refusal, type Ref, type Reply, service, table } from 'tidemark';
import type { Row } from './row.ts';
${before}
${asks(`export const Service${n} = service('service${n}', {
  async load(ctx, id: string): Promise<Row> {
    return Promise.resolve({ id, at: new Date(0), lines: [], note: ctx.callId });
  },
  count: (_ctx, row: Row, by: number) => row.lines.length * by,
});

`)}export const Actor${n} = actor('actor${n}', {
  state: () => ({
    n: 0,
    rows: [] as Row[],
    seen: new Map<string, { count: number; at: Date }>(),
    counts: table<string, { n: number; tags: string[] }>()${last},
  }),
  on: {
    add(ctx, row: Row, by: number) {
      ctx.state.rows.push(row);
      ctx.state.n += by;
      ctx.state.seen.set(row.id, { count: by, at: row.at });
    },
    put(ctx, key: string, value: { n: number; tags: string[] }) {
      ctx.state.counts.update(key, (old) => ({ n: old.n + value.n, tags: [...old.tags, ...value.tags] }), () => value);
    },
    take(ctx, id: string) {
      const row = ctx.state.rows.find((each) => each.id === id);
      if (row === undefined) throw new Refusal('TOO_LITTLE');
      return row;
    },
    total: (ctx, sku: string, since?: Date) =>
      ctx.state.rows
        .filter((row) => since === undefined || row.at > since)
        .flatMap((row) => row.lines)
        .reduce((sum, line) => (line.sku === sku ? sum + line.cents * line.count : sum), 0),${asks(`
    fetch(ctx, id: string): void {
      ctx.call(Service${n}, { timeoutMs: 1_000 }).load(id).into(Actor${n}, 'taken', id);
      ctx.after(5_000, id).into(Actor${n}, 'late', id, { n: ${n}, tags: [id] });
    },
    taken(ctx, answer: Reply<Row>, id: string): void {
      ctx.cancel(id);
      if (answer.ok) ctx.call(Service${n}).count(answer.value, ${n}).into(Actor${n}, 'counted', answer.value, [id]);
      else ctx.log(answer.code);
    },
    counted(ctx, answer: Reply<number>, row: Row, tags: string[]): void {
      ctx.state.n += answer.ok ? answer.value : tags.length;
      ctx.state.rows.push(row);
    },
    late(ctx, id: string, value: { n: number; tags: string[] }): void {
      ctx.state.counts.set(id, value);
    },`)}${forward}
  },
});
`;
}

function hostFile(count: number, extent: Extent): string {
  const asks = (text: string): string => (extent === 'asks' ? text : '');
  const imports = each(count, (n) => `import { Actor${n}${asks(`, Service${n}`)} } from './actor${n}.ts';`).join('\n');
  const calls = each(
    count,
    (n) => `  const ref${n} = system.ref(Actor${n}, 'a');
  await system.tell(ref${n}).add(row, ${n});
  const taken${n}: Row = await system.ask(ref${n}).take(row.id);
  sum += await system.ask(ref${n}).total(taken${n}.id);${asks(`
  await system.tell(ref${n}).fetch(row.id);
  sum += await system.ask(Service${n}, { timeoutMs: 1_000 }).count(taken${n}, ${n});`)}${n === 0 ? '' : `\n  await system.tell(ref${n}).forward(ref${n - 1}, row);`}`,
  ).join('\n');
  return `import type { System } from 'tidemark';
import type { Row } from './row.ts';
${imports}

export async function host(system: System, row: Row): Promise<number> {
  let sum = 0;
${calls}
  return sum;
}
`;
}

function classFile(n: number, extent: Extent): string {
  const asks = (text: string): string => (extent === 'asks' ? text : '');
  const before = n === 0 ? '' : `import type { Class${n - 1} } from './class${n - 1}.ts';\n`;
  const forward =
    n === 0
      ? ''
      : `
  forward(to: Class${n - 1}, row: Row): void {
    to.add(row, row.lines.length);
    to.put('last', { n: ${n}, tags: [row.id] });${asks(`
    this.taken(to.take(row.id), row.id);
    this.counted(to.total(row.id, row.at), row, ['total']);`)}
    this.last = to;
  }`;
  const last = n === 0 ? '' : `\n  last: Class${n - 1} | null = null;`;
  return `import type { Row } from './row.ts';
${before}
${asks(`export class Service${n} {
  async load(id: string): Promise<Row> {
    return Promise.resolve({ id, at: new Date(0), lines: [], note: 'call' });
  }
  count(row: Row, by: number) {
    return row.lines.length * by;
  }
}

`)}export class Class${n} {${asks(`
  service = new Service${n}();`)}
  n = 0;
  rows: Row[] = [];
  seen = new Map<string, { count: number; at: Date }>();
  counts = new Map<string, { n: number; tags: string[] }>();${last}
  add(row: Row, by: number) {
    this.rows.push(row);
    this.n += by;
    this.seen.set(row.id, { count: by, at: row.at });
  }
  put(key: string, value: { n: number; tags: string[] }) {
    const old = this.counts.get(key) ?? value;
    this.counts.set(key, { n: old.n + value.n, tags: [...old.tags, ...value.tags] });
  }
  take(id: string) {
    const row = this.rows.find((each) => each.id === id);
    if (row === undefined) throw new Error('unknown row');
    return row;
  }
  total(sku: string, since?: Date) {
    return this.rows
      .filter((row) => since === undefined || row.at > since)
      .flatMap((row) => row.lines)
      .reduce((sum, line) => (line.sku === sku ? sum + line.cents * line.count : sum), 0);
  }${asks(`
  async fetch(id: string): Promise<void> {
    this.taken(await this.service.load(id), id);
    this.late(id, { n: ${n}, tags: [id] });
  }
  taken(answer: Row | null, id: string): void {
    if (answer !== null) this.counted(this.service.count(answer, ${n}), answer, [id]);
  }
  counted(answer: number | null, row: Row, tags: string[]): void {
    this.n += answer ?? tags.length;
    this.rows.push(row);
  }
  late(id: string, value: { n: number; tags: string[] }): void {
    this.counts.set(id, value);
  }`)}${forward}
}
`;
}

function callsFile(count: number, extent: Extent): string {
  const asks = (text: string): string => (extent === 'asks' ? text : '');
  const imports = each(count, (n) => `import { Class${n}${asks(`, Service${n}`)} } from './class${n}.ts';`).join('\n');
  const calls = each(
    count,
    (n) => `  const one${n} = new Class${n}();
  one${n}.add(row, ${n});
  const taken${n}: Row = one${n}.take(row.id);
  sum += one${n}.total(taken${n}.id);${asks(`
  await one${n}.fetch(row.id);
  sum += new Service${n}().count(taken${n}, ${n});`)}${n === 0 ? '' : `\n  one${n}.forward(one${n - 1}, row);`}`,
  ).join('\n');
  return `import type { Row } from './row.ts';
${imports}

export async function host(row: Row): Promise<number> {
  let sum = 0;
${calls}
  return sum;
}
`;
}

function each<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
