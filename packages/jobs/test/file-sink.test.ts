import { CutState, decodeValue, encodeValue, systemClock, type UnitData } from '@tidemark/actors/internal';
import { type ChunkUnit, FileSink, type FileSinkOptions } from '@tidemark/jobs/internal';
import { openStore, type Store, StoreError } from '@tidemark/stores';
import { describe, expect, it } from 'vitest';

let stores = 0;

/** A sink with a store in memory, whose flips, captures and publications the test calls by hand. */
class Rig {
  readonly store: Store;
  readonly cut = new CutState();
  readonly sink: FileSink;
  readonly failures: unknown[] = [];
  readonly warnings: string[] = [];
  readonly fulls: boolean[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(store: Store, options: Partial<FileSinkOptions>) {
    this.store = store;
    this.sink = new FileSink({
      sink: 'output',
      type: 'job',
      task: 1,
      cut: this.cut,
      clock: { ...systemClock, after: (_, run) => (setImmediate(run), () => undefined) },
      open: () => Promise.resolve(store),
      warn: (code, message) => void this.warnings.push(`${code}: ${message}`),
      fail: (error) => void this.failures.push(error),
      full: (full) => void this.fulls.push(full),
      applied: () => {
        if (this.sink.idle) for (const go of this.#waiting.splice(0)) go();
      },
      ...options,
    });
  }

  static async open(options: Partial<FileSinkOptions> & { readonly store?: Store } = {}): Promise<Rig> {
    const { store = await openStore(`memory:sink-${stores++}`), ...rest } = options;
    return new Rig(store, rest);
  }

  append(...lines: readonly string[]): void {
    for (const line of lines) this.sink.append(line);
  }

  /** Flips and captures: what a checkpoint of this cut holds of the sink. */
  take(cut: number): readonly UnitData[] {
    const units: UnitData[] = [];
    this.cut.begin(cut, 0, {
      unit: () => undefined,
      gone: () => undefined,
      passing: (type, key, table, tableKey, value) =>
        void units.push({ type, key, table, tableKey, value: encodeValue(value) }),
      mail: () => undefined,
      batch: () => undefined,
      settle: () => undefined,
    });
    this.sink.flip();
    for (const _ of this.sink.captureMotion());
    return units;
  }

  applied(): Promise<void> {
    return new Promise((resolve) => {
      if (this.sink.idle) resolve();
      else this.#waiting.push(resolve);
    });
  }

  async files(): Promise<Readonly<Record<string, string>>> {
    const files: Record<string, string> = {};
    for (const name of await this.store.list('')) files[name] = new TextDecoder().decode(await this.store.get(name));
    return files;
  }
}

const file = (position: number, task = 1): string => `${String(position).padStart(20, '0')}-${task}.ndjson`;

describe('a file sink', () => {
  it('writes nothing before a record has named it (J3)', async () => {
    const rig = await Rig.open();
    rig.append('a', 'b');
    rig.take(1);
    rig.append('c');
    await rig.applied();
    expect(await rig.files()).toEqual({});
    rig.sink.published(1, 7);
    await rig.applied();
    expect(await rig.files()).toEqual({ [file(7)]: 'a\nb\n' });
  });

  it('joins what an abandoned cut has sealed to the next batch', async () => {
    const rig = await Rig.open();
    rig.append('a');
    rig.take(1);
    rig.append('b');
    const units = rig.take(2);
    rig.sink.published(2, 4);
    await rig.applied();
    expect(await rig.files()).toEqual({ [file(4)]: 'a\nb\n' });
    const again = await Rig.open({ store: rig.store });
    for (const unit of units) again.sink.load(decodeValue(unit.value) as ChunkUnit, { position: 4, namings: [] });
    again.sink.start();
    await again.applied();
    expect([again.failures, await again.files()]).toEqual([[], { [file(4)]: 'a\nb\n' }]);
  });

  it.each(['heard in time', 'heard after its flip', 'never heard'])(
    'gives a batch the name of the same record after a restore, also when its publication was %s',
    async (when) => {
      const rig = await Rig.open();
      rig.append('a');
      rig.take(1);
      if (when === 'heard in time') rig.sink.published(1, 2);
      rig.append('b');
      const units = rig.take(2);
      if (when === 'heard after its flip') rig.sink.published(1, 2);
      if (when !== 'never heard') rig.sink.published(2, 3);
      await rig.applied();
      // The host has published both when the process dies.
      const again = await Rig.open({ store: rig.store });
      for (const unit of units)
        again.sink.load(decodeValue(unit.value) as ChunkUnit, { position: 3, namings: [{ cut: 1, position: 2 }] });
      again.sink.start();
      await again.applied();
      expect(again.failures).toEqual([]);
      expect(await again.files()).toEqual({ [file(2)]: 'a\n', [file(3)]: 'b\n' });
    },
  );

  it('keeps the batches of several former workers apart', async () => {
    const units: UnitData[] = [];
    for (const task of [1, 2, 3]) {
      const rig = await Rig.open({ task });
      rig.append(`of ${task}`, 'x'.repeat(70_000), 'end');
      units.push(...rig.take(1));
    }
    const one = await Rig.open();
    for (const unit of units) one.sink.load(decodeValue(unit.value) as ChunkUnit, { position: 5, namings: [] });
    one.sink.start();
    await one.applied();
    const files = await one.files();
    expect(Object.keys(files)).toEqual([file(5, 1), file(5, 2), file(5, 3)]);
    for (const task of [1, 2, 3]) expect(files[file(5, task)]).toMatch(new RegExp(`^of ${task}\nx{70000}\nend\n$`));
  });

  it('ends with OUTPUT_DIFFERS when its name holds other bytes, and overwrites nothing (J5)', async () => {
    const rig = await Rig.open();
    await rig.store.putIfAbsent(file(3), new TextEncoder().encode('foreign\n'));
    rig.append('a');
    rig.take(1);
    rig.sink.published(1, 3);
    await expect.poll(() => rig.failures).toHaveLength(1);
    expect(rig.failures[0]).toMatchObject({ code: 'OUTPUT_DIFFERS' });
    expect(await rig.files()).toEqual({ [file(3)]: 'foreign\n' });
  });

  it('tries again while the disk is full, in order (J4)', async () => {
    let tries = 0;
    const rig = await Rig.open();
    const store: Store = {
      ...rig.store,
      list: (prefix) => rig.store.list(prefix),
      get: (name) => rig.store.get(name),
      close: () => rig.store.close(),
      putIfAbsent: (name, bytes) =>
        tries++ < 3
          ? Promise.reject(new StoreError('fatal', 'STORE_FULL', 'no room'))
          : rig.store.putIfAbsent(name, bytes),
    };
    const full = await Rig.open({ open: () => Promise.resolve(store), store: rig.store });
    full.append('a');
    full.take(1);
    full.sink.published(1, 2);
    full.append('b');
    full.take(2);
    full.sink.published(2, 3);
    await full.applied();
    expect(full.warnings).toEqual(Array(3).fill(`STORE_FULL: output ${file(2)} waits and is tried again: no room`));
    expect(await full.files()).toEqual({ [file(2)]: 'a\n', [file(3)]: 'b\n' });
  });
});
