import {
  decodeKeys,
  decodeRowsData,
  decodeValue,
  type FileBytes,
  type Runtime,
} from '@tidemark/actors/internal/worker';
import { entriesOf, KIND, type RowsHead, UNIT_KINDS, type UnitHead } from './entry.ts';
import { readPartFile } from './part-file.ts';
import { Said } from './said.ts';

type Say = (head: UnitHead, isGone: boolean) => unknown;

const nothing: Say = () => undefined;

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

  /** Files that the host has verified, the newest first. */
  load(file: FileBytes): void {
    const { base, payloads } = readPartFile(file, true);
    // What this file says hides what older ones say, and not what it says itself.
    const now: (readonly [UnitHead, boolean])[] = [];
    // Below a full file there is none.
    const say = base === 0 ? nothing : (head: UnitHead, isGone: boolean): unknown => now.push([head, isGone]);
    for (const { payload } of payloads) {
      for (const { kind, head, body } of entriesOf(payload, UNIT_KINDS)) {
        if (kind === KIND.rows) this.#rows(head as RowsHead, body, say);
        else if (kind === KIND.gone) say(head as UnitHead, true);
        else if (kind === KIND.unit) this.#state(head as UnitHead, decodeValue(body), say);
        else if (this.#isNewest) this.#state(head as UnitHead, decodeValue(body), nothing);
      }
    }
    this.#said.nextFile();
    for (const [head, isGone] of now) this.#said.add(...head, isGone);
    this.#isNewest = false;
  }

  #rows([type, of, table]: RowsHead, body: Uint8Array, say: Say): void {
    if (of === null) {
      decodeRowsData<string, unknown>({ body, hidden: [] }, (key, value) => {
        this.#state([type, key, '', null], value, say);
      });
      return;
    }
    const { keys: hidden, gone } = this.#said.of(type, of, table);
    if (!gone) this.#runtime.loadRows(type, of, table, { body, hidden });
    if (say === nothing) return;
    for (const key of decodeKeys<string | number>(body)) say([type, of, table, key], false);
  }

  #state(head: UnitHead, value: unknown, say: Say): void {
    const [type, key, table, tableKey] = head;
    if (this.#said.has(type, key, table, tableKey)) return;
    this.#runtime.loadValue({ type, key, table, tableKey, value });
    say(head, false);
  }
}
