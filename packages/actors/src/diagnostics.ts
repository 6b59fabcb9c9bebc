import { channel } from 'node:diagnostics_channel';

/** What is published on `tidemark:turn` when a turn has ended, in the thread that ran it. */
export interface TurnSeen {
  readonly thread: number;
  readonly type: string;
  readonly key: string;
  /** Handler that ran. */
  readonly handler: string;
  /** What made it run; a timer is also the time limit of a question. */
  readonly by: 'message' | 'answer' | 'timer';
  /** `done`; `refused` by a Refusal; `forget`, `letter` or `failed`: it threw. */
  readonly end: 'done' | 'refused' | 'forget' | 'letter' | 'failed';
  readonly durationMs: number;
}

/** What is published on `tidemark:frame` when a frame is posted or has come, in the thread that did so. */
export interface FrameSeen {
  readonly thread: number;
  /** The thread at the other end. */
  readonly peer: number;
  readonly direction: 'out' | 'in';
  readonly codec: string;
  /** Messages or rows. */
  readonly count: number;
  readonly bytes: number;
}

const turns = channel('tidemark:turn');
const frames = channel('tidemark:frame');

/** Whether anybody in this thread wants to know of turns. Asked once a slice, not once a turn. */
export function turnsAreWatched(): boolean {
  return turns.hasSubscribers;
}

export function publishTurn(seen: TurnSeen): void {
  turns.publish(seen);
}

export function framesAreWatched(): boolean {
  return frames.hasSubscribers;
}

export function publishFrame(seen: FrameSeen): void {
  frames.publish(seen);
}
