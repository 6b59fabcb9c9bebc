import type { Plan } from './scripted-s3.ts';

/** Plans for the scripted server that several tests use. */

export const error = (status: number, code: string, headers: Record<string, string> = {}): Plan => ({
  answer: { status, code, headers },
});
export const conflict = error(409, 'ConditionalRequestConflict');
export const slowDown = error(503, 'SlowDown');
export const hang: Plan = { silence: 'hang' };
export const lostReply: Plan = { acts: true, silence: 'reset' };
export const lostRequest: Plan = { silence: 'reset' };

/** What a call comes to when nobody can say what became of it. */
export const unknown = { kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' };

/** The key of the object `name`, and an object of another writer under it. */
export const KEY = 'prefix/name';
export const others = { body: Buffer.from("somebody else's"), putId: 'another' };

/** Sends as long as anybody reads. */
export function endless(response: Parameters<NonNullable<Plan['write']>>[0]): void {
  response.writeHead(200);
  const chunk = Buffer.alloc(1_000_000, ' ');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    response.once('drain', more);
  };
  more();
}

export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 1_000_003) yield bytes.subarray(offset, offset + 1_000_003);
}
