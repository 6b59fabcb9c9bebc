import { StoreError } from '../errors.ts';
import { type CallLimit, endedError } from './call-limit.adapter.ts';
import type { HdfsCredentials } from './hdfs-credentials.adapter.ts';
import { badAnswer, HdfsError, remoteError, remoteExceptionIn } from './hdfs-errors.ts';
import { ROUND_WAIT_MS, TRY_MS, TRY_MS_MIN } from './hdfs-limits.ts';
import type { NameNodeAddress } from './hdfs-location.ts';
import type { NameNode, NameNodeAnswer, NameNodeRequest } from './name-node.adapter.ts';
import type { TrafficCounter } from './traffic-counter.ts';

export interface NameNodeCall {
  readonly method: NameNodeRequest['method'];
  readonly operation: string;
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly doing: string;
  readonly limit: CallLimit;
  /**
   * What to do when an answer is lost or no name node can do it now. `once`: the request may have been carried out and must not be sent
   * again, so the error says that (`isDoneMaybe`). `repeat`: it may be sent any number of times. `persist`: the same, until the time
   * is up, also where there is only one name node.
   */
  readonly repeating: 'once' | 'repeat' | 'persist';
}

/** An answer and who gave it. */
export interface Answered extends NameNodeAnswer {
  readonly from: NameNodeAddress;
  readonly origin: string;
}

/** Statuses that a name node means well by: done, done and made, go to a data node. */
const GOOD: ReadonlySet<number> = new Set([200, 201, 307]);

/**
 * The name nodes of a cluster as one. It remembers which of them answered last, and asks the next one when that one is in
 * standby, in safe mode, starting or not there. Rounds over all of them go on, with waits between, until the call's time is up;
 * with a single name node there is one round, and the caller decides about repeating.
 */
export class NameNodes {
  readonly #nodes: readonly NameNode[];
  readonly #credentials: HdfsCredentials;
  readonly #traffic: TrafficCounter;
  #active = 0;

  constructor(nodes: readonly NameNode[], credentials: HdfsCredentials, traffic: TrafficCounter) {
    this.#nodes = nodes;
    this.#credentials = credentials;
    this.#traffic = traffic;
  }

  /** Resolves with an answer that means success; anything else rejects with a `StoreError`. */
  async ask(call: NameNodeCall): Promise<Answered> {
    let mayRenew = true;
    for (let asked = 0; ; asked++) {
      const index = this.#active;
      const outcome = await this.#askOne(this.#nodeAt(index), call);
      if (!(outcome instanceof StoreError)) return outcome;
      const error = outcome;
      if (call.limit.ending !== undefined) throw lastWord(call, error);
      if (error.code === 'STORE_CREDENTIALS' && mayRenew && (await this.#renewed(call))) {
        mayRenew = false;
        continue;
      }
      if (!(error instanceof HdfsError) || !isWorthAnother(error, call)) throw error;
      // Another call may have moved on meanwhile: then its choice is tried.
      if (this.#active === index) this.#active = (index + 1) % this.#nodes.length;
      if ((asked + 1) % this.#nodes.length !== 0) continue;
      if (this.#nodes.length === 1 && call.repeating !== 'persist') throw error;
      const round = (asked + 1) / this.#nodes.length;
      await call.limit.pause(Math.min(ROUND_WAIT_MS.longest, ROUND_WAIT_MS.first * 2 ** (round - 1)));
      if (call.limit.ending !== undefined) throw lastWord(call, error);
    }
  }

  close(): void {
    for (const node of this.#nodes) node.close();
  }

  #nodeAt(index: number): NameNode {
    const node = this.#nodes[index % this.#nodes.length];
    if (node === undefined) throw new RangeError('there is no name node');
    return node;
  }

  async #renewed({ limit, doing }: NameNodeCall): Promise<boolean> {
    return limit.during(this.#credentials.renew(), doing, 'the cluster');
  }

  async #askOne(node: NameNode, call: NameNodeCall): Promise<Answered | StoreError> {
    const { doing, limit } = call;
    // With nobody else to ask, and nothing to find out afterwards, one answer may take all the time there is.
    const isLastWord = this.#nodes.length === 1 && call.repeating === 'repeat';
    const part = limit.within(isLastWord ? limit.leftMs : Math.max(TRY_MS_MIN, Math.min(TRY_MS, limit.leftMs / 2)));
    try {
      const identity = await part.during(this.#credentials.parameters(), doing, node.origin);
      const parameters = { ...call.parameters, ...identity };
      this.#traffic.request(call.operation);
      const { method, operation, path } = call;
      const { headers } = this.#credentials;
      const answer = await node.ask({ method, operation, path, parameters, headers, doing }, part);
      this.#traffic.received(answer.body.length);
      if (GOOD.has(answer.status)) return { ...answer, from: node.address, origin: node.origin };
      return this.#errorOf(answer, doing, node.origin);
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    } finally {
      part.end();
    }
  }

  #errorOf({ status, body }: NameNodeAnswer, doing: string, place: string): HdfsError {
    const exception = remoteExceptionIn(body.toString('utf8'));
    if (exception !== undefined)
      return remoteError(doing, place, { ...exception, message: this.#credentials.redact(exception.message) });
    if (status === 401)
      return new HdfsError(
        'denied',
        'STORE_CREDENTIALS',
        `Could not ${doing} at ${place}: it wants credentials (401). Set HDFS_DELEGATION_TOKEN, or HDFS_BASIC_USER and HDFS_BASIC_PASSWORD.`,
      );
    if (status === 403)
      return new HdfsError(
        'denied',
        'STORE_DENIED',
        `Could not ${doing} at ${place}: something before the name node forbids it (403). Look at the gateway's rules.`,
      );
    if (status >= 500 || status === 429)
      return new HdfsError(
        'retry',
        'STORE_UNREACHABLE',
        `Could not ${doing} at ${place}: it answered ${status}. Repeat later; look at the gateway or the name node.`,
        { isDoneMaybe: true },
      );
    return badAnswer(doing, place, `it answered ${status} without a text of HDFS`);
  }
}

/** Whether the next name node, or the same one later, may do it, and may be asked. */
function isWorthAnother(error: HdfsError, { repeating }: NameNodeCall): boolean {
  if (error.isElsewhere) return true;
  if (repeating === 'once' || error.kind !== 'retry') return false;
  // An exception that says nothing of this name node's state would be the same at another one.
  return error.exception === undefined || repeating === 'persist';
}

/** The time is up. The last error says more than "too late", so its words are kept. */
function lastWord(call: NameNodeCall, error: StoreError): StoreError {
  const isOpen = call.repeating === 'once' && (!(error instanceof HdfsError) || error.isDoneMaybe);
  const { message } = endedError(call.limit.ending ?? 'deadline', call.doing, 'the cluster');
  if (isOpen) return error;
  if (call.limit.ending === 'aborted') return new HdfsError('retry', 'STORE_ABORTED', message);
  return error instanceof HdfsError && error.isElsewhere
    ? new HdfsError('retry', error.code, `${error.message} It stayed so until the deadline.`, { isElsewhere: true })
    : new HdfsError('retry', 'STORE_TIMEOUT', message, { cause: error });
}
