import { move, service, type ServiceCtx } from '@tidemark/actors';
import { go, type Way } from './workshop.ts';

/** Bytes that are moved: all that they hold follows from the number. */
export interface Parcel {
  readonly id: number;
  readonly bytes: Uint8Array | ArrayBuffer;
  readonly rest: Uint8Array | null;
}

/** What is made of a parcel: each of its bytes is one more. */
export interface Raised extends Parcel {
  readonly run: number;
}

/** Whether a depot moves its answer. */
export type Back = 'moved' | 'copied';

/** A call that a depot has begun. */
export interface DepotRun {
  readonly number: number;
  readonly signal: AbortSignal;
  /** What it was called with, and has answered with. */
  readonly own: Parcel;
  over: boolean;
}

/** Sees what depots do; of one world. */
export interface DepotWatcher {
  began(run: DepotRun): void;
}

/** What the world outside of all threads knows of the depots. */
interface Ledger {
  runs: number;
  /** By whoever asks from outside of actors, and the number of its parcel. */
  readonly watchers: Map<number, DepotWatcher>;
  /** Calls of actors, by their ids; what they were begun with. */
  readonly calls: Set<string>;
  readonly answered: Parcel[];
  readonly wrong: string[];
  readonly happened: string[];
}

const ledger: Ledger = {
  runs: 0,
  watchers: new Map(),
  calls: new Set(),
  answered: [],
  wrong: [],
  happened: [],
};

/** Parcels of the app have greater numbers than those of actors. */
const FIRST_OF_APP = 1_000_000;
let parcels = FIRST_OF_APP;

/** A new world begins. */
export function emptyDepot(): void {
  parcels = FIRST_OF_APP;
  ledger.runs = 0;
  ledger.watchers.clear();
  ledger.calls.clear();
  for (const list of [ledger.answered, ledger.wrong, ledger.happened]) list.length = 0;
}

/** A number for a parcel of the app, and who hears when it has come somewhere. */
export function watchParcel(watcher: DepotWatcher): number {
  const id = parcels++;
  ledger.watchers.set(id, watcher);
  return id;
}

/** What depots have found wrong, and what they have seen, since the last look. */
export function depotFindings(): { readonly wrong: readonly string[]; readonly happened: readonly string[] } {
  // What actors get is a copy: a depot keeps its own, long after it has answered.
  for (const { id, bytes } of ledger.answered.splice(0)) {
    if (bytes.byteLength === 0) ledger.wrong.push(`a depot has lost what it answered to actor ${id}`);
  }
  return { wrong: ledger.wrong.splice(0), happened: ledger.happened.splice(0) };
}

const SIZE_MAX = 200;

/** What a parcel of that number holds. */
export function contentOf(id: number): Uint8Array {
  return Uint8Array.from({ length: 2 + ((id * 37) % SIZE_MAX) }, (_, i) => (id * 31 + i * 7 + (i >>> 5)) & 0xff);
}

/** Whether a parcel holds what it must, each byte so much more. */
export function holds({ id, bytes, rest }: Parcel, more: 0 | 1): boolean {
  const found = Buffer.concat([bytesOf(bytes), bytesOf(rest ?? new Uint8Array(0))]);
  const expected = contentOf(id);
  return found.length === expected.length && expected.every((byte, i) => found[i] === ((byte + more) & 0xff));
}

export function bytesOf(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  // A view of a buffer that is gone has no bytes, but cannot be made.
  return bytes instanceof ArrayBuffer ? (bytes.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(bytes)) : bytes;
}

/** Raises parcels in place, whoever they come from, and gives them back. */
async function raise(place: string, ctx: ServiceCtx, parcel: Parcel, way: Way, back: Back): Promise<Raised> {
  const { id, bytes, rest } = parcel;
  if (!holds(parcel, 0)) ledger.wrong.push(`parcel ${id} has come to the depot ${place} with other bytes`);
  const run: DepotRun = { number: ledger.runs++, signal: ctx.signal, own: parcel, over: false };
  const ofApp = ledger.watchers.get(id);
  ofApp?.began(run);
  if (ofApp === undefined) {
    ledger.happened.push(`moved by an actor to ${place}: ${ledger.calls.has(ctx.callId) ? 'asked again' : 'asked'}`);
    ledger.calls.add(ctx.callId);
  }
  // At once: what waits for an answer may be asked again, and must not see it.
  for (const view of [bytes, rest])
    if (view !== null) for (const [i, byte] of bytesOf(view).entries()) bytesOf(view)[i] = byte + 1;
  try {
    await go(way, ctx.signal);
  } finally {
    run.over = true;
  }
  if (ofApp === undefined) ledger.answered.push(parcel);
  if (back === 'copied') return { ...parcel, run: run.number };
  return { id, run: run.number, bytes: move(bytes), rest: rest === null ? null : move(rest) };
}

const LIMITS = { maxConcurrent: 3 };

export const Depot = service(
  'sim.depot',
  { raise: (ctx, parcel: Parcel, way: Way, back: Back) => raise('any thread', ctx, parcel, way, back) },
  LIMITS,
);

export const HostDepot = service(
  'sim.depot-host',
  { raise: (ctx, parcel: Parcel, way: Way, back: Back) => raise('the host', ctx, parcel, way, back) },
  { ...LIMITS, place: 'host' },
);

export const OwnDepot = service(
  'sim.depot-own',
  { raise: (ctx, parcel: Parcel, way: Way, back: Back) => raise('the own thread', ctx, parcel, way, back) },
  { ...LIMITS, place: 'here' },
);

export const DEPOTS = [Depot, HostDepot, OwnDepot] as const;
