/**
 * One of the two threads of by-hand.ts.
 *
 * Owns the totals of its airports and its half of the file. Rows of the other's airports go to it in frames. At most
 * `framesInFlightMax` frames are under way: a worker that has no credit left waits, and while it waits, as between
 * chunks, its event loop takes what the other sends, so that the two never wait for each other.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import { type ByHandTask, ownerOf, type ToHost, type ToPeer } from './by-hand-messages.ts';
import { type Flight, parseFlights } from './by-hand-parser.ts';
import { addFlight, type Totals } from './totals.ts';

const chunkBytes = 256 * 1024;
/** Rows parsed at once, and rows in a frame. */
const batchRows = 512;
const framesInFlightMax = 16;

if (parentPort === null) throw new Error('by-hand-worker.js is started by by-hand.js.');
const host = parentPort;
const { path, replays, index, start, end, peer } = workerData as ByHandTask;
const packr = new Packr({ useRecords: true });
const totals: Totals = new Map();
let outbox: Flight[] = [];
let framesInFlight = 0;
let peerEnded = false;
/** Wakes the reader, when it waits for credit or for the other's end. */
let wake: () => void = () => undefined;

peer.on('message', (message: ToPeer) => {
  switch (message.kind) {
    case 'frame':
      takeFrame(message.bytes);
      break;
    case 'credit':
      framesInFlight--;
      break;
    case 'end':
      peerEnded = true;
      break;
  }
  wake();
});
host.once('message', () => void run());
tellHost({ kind: 'ready' });

async function run(): Promise<void> {
  for (let replay = 0; replay < replays; replay++) await readHalf();
  await sendOutbox();
  peer.postMessage({ kind: 'end' } satisfies ToPeer);
  while (!peerEnded) await woken();
  tellHost({ kind: 'result', totals });
  peer.close();
}

async function readHalf(): Promise<void> {
  const file = openSync(path, 'r');
  const bytes = Buffer.allocUnsafeSlow(2 * chunkBytes);
  const rows: Flight[] = [];
  let have = 0;
  for (let position = start; position < end; ) {
    const read = readSync(file, bytes, have, Math.min(chunkBytes, end - position), position);
    if (read === 0) throw new Error(`${path} ends at byte ${position}, expected ${end}.`);
    position += read;
    have += read;
    let at = 0;
    for (;;) {
      const next = parseFlights(bytes, at, have, batchRows, rows);
      if (next === at) break;
      at = next;
      for (const row of rows) {
        if (ownerOf(row.origin) === index) addFlight(totals, row.origin, row.delay);
        else if (outbox.push(row) === batchRows) await sendOutbox();
      }
      rows.length = 0;
    }
    bytes.copy(bytes, 0, at, have);
    have -= at;
    await nextTurn();
  }
  closeSync(file);
}

async function sendOutbox(): Promise<void> {
  while (framesInFlight >= framesInFlightMax) await woken();
  // packr keeps its buffer for the next frame, so the bytes to hand over are copied out of it.
  const bytes = new Uint8Array(packr.pack(outbox)).buffer;
  outbox = [];
  framesInFlight++;
  peer.postMessage({ kind: 'frame', bytes } satisfies ToPeer, [bytes]);
}

function takeFrame(bytes: ArrayBuffer): void {
  for (const { origin, delay } of packr.unpack(Buffer.from(bytes)) as readonly Flight[])
    addFlight(totals, origin, delay);
  peer.postMessage({ kind: 'credit' } satisfies ToPeer);
}

function woken(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

function tellHost(message: ToHost): void {
  host.postMessage(message);
}
