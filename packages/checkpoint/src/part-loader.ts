import { decodeValue, type Runtime } from '@tidemark/actors/internal';
import { entriesOf, KIND, type RowsBody, type RowsHead, UNIT_KINDS, type UnitHead } from './entry.ts';
import { readPartFile } from './part-file.ts';
import { Said } from './said.ts';

/**
 * Loads the units of one part into a thread, file by file from the newest down, each unit once (C22): as `mergeFiles`, but
 * where they belong, and without making anything of those that do not count.
 */
export class PartLoader {
  readonly #runtime: Runtime;
  readonly #said = new Said();
  #isNewest = true;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  load(bytes: Uint8Array): void {
    const { base, payloads } = readPartFile(bytes);
    // What this file says hides what older ones say, and not what it says itself.
    const now: (readonly [UnitHead, boolean])[] = [];
    const say = (head: UnitHead, isGone: boolean): void => {
      // Below a full file there is none.
      if (base !== 0) now.push([head, isGone]);
    };
    for (const { payload } of payloads) {
      for (const { kind, head, body } of entriesOf(payload, UNIT_KINDS)) {
        if (kind === KIND.rows) this.#rows(head as RowsHead, body, say);
        else if (kind === KIND.gone) say(head as UnitHead, true);
        else if (kind === KIND.unit || this.#isNewest) this.#unit(kind === KIND.unit, head as UnitHead, body, say);
      }
    }
    for (const [head, isGone] of now) this.#said.add(...head, isGone);
    this.#isNewest = false;
  }

  #unit(isLasting: boolean, head: UnitHead, body: Uint8Array, say: (head: UnitHead, isGone: boolean) => void): void {
    const [type, key, table, tableKey] = head;
    if (this.#said.has(type, key, table, tableKey)) return;
    this.#runtime.loadValue({ type, key, table, tableKey, value: decodeValue(body) });
    if (isLasting) say(head, false);
  }

  #rows([type, of, table]: RowsHead, body: Uint8Array, say: (head: UnitHead, isGone: boolean) => void): void {
    const [keys, values] = decodeValue(body) as RowsBody;
    for (const key of keys) say(of === null ? [type, String(key), '', null] : [type, of, table, key], false);
    if (of !== null && this.#said.isSilent(type, of, table)) {
      this.#runtime.loadRows(type, of, table, keys, values);
      return;
    }
    for (const [i, key] of keys.entries()) {
      const unit = of === null ? { key: String(key), tableKey: null } : { key: of, tableKey: key };
      if (this.#said.has(type, unit.key, table, unit.tableKey)) continue;
      this.#runtime.loadValue({ type, table, ...unit, value: values[i] });
    }
  }
}
