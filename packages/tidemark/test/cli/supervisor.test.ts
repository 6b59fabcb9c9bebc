import { describe, expect, it } from 'vitest';
import type { ChildEnd, SupervisorEffect, SupervisorEvent, SupervisorState } from '../../src/cli/supervisor.ts';
import { begin, step } from '../../src/cli/supervisor.ts';

const CRASH: ChildEnd = { kind: 'exited', status: 70 };
const KILLED: ChildEnd = { kind: 'killed', signal: 'SIGKILL' };

/** Plays a supervisor on a clock that only the test moves. */
class Play {
  atMs = 0;
  state: SupervisorState;
  effects: SupervisorEffect[] = [];

  constructor() {
    const first = begin();
    this.state = first.state;
    this.effects.push(...first.effects);
  }

  take(event: SupervisorEvent): readonly SupervisorEffect[] {
    const next = step(this.state, event);
    this.state = next.state;
    this.effects.push(...next.effects);
    return next.effects;
  }

  end(end: ChildEnd, random = 0.5): readonly SupervisorEffect[] {
    return this.take({ type: 'child-ended', end, atMs: this.atMs, random });
  }

  signal(signal: 'SIGINT' | 'SIGTERM'): readonly SupervisorEffect[] {
    return this.take({ type: 'signal', signal, atMs: this.atMs });
  }

  /** A crash, then the wait that was asked for, if any; answers that wait. */
  crash(end: ChildEnd = CRASH, random = 0.5): number {
    const wait = this.end(end, random).find((effect) => effect.type === 'set-timer')?.delayMs ?? 0;
    this.atMs += wait;
    if (wait > 0) this.take({ type: 'timer' });
    return wait;
  }
}

const without = (effects: readonly SupervisorEffect[], type: string) => effects.filter((each) => each.type !== type);

describe('the supervisor starts its child', () => {
  it('at the beginning, as asked', () => {
    expect(new Play().effects).toEqual([{ type: 'start-child', going: 'as-asked' }]);
  });

  it('again at once after the first crash, saying why', () => {
    const play = new Play();
    expect(play.end(KILLED)).toEqual([
      {
        type: 'say',
        level: 'notice',
        text: 'the runtime was killed by SIGKILL; starting it again now (restart 1 of at most 10 in 60 s without a new checkpoint)',
      },
      { type: 'start-child', going: 'as-asked' },
    ]);
  });

  it('after waits with full jitter that double from 100 ms to 10 s', () => {
    const play = new Play();
    const most = Array.from({ length: 10 }, () => play.crash(CRASH, 1));
    expect(most).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    expect(new Play().crash(CRASH, 0)).toBe(0);
  });

  it('without its beginning once a run has started (P3)', () => {
    const play = new Play();
    play.take({ type: 'run-started' });
    expect(without(play.end(KILLED), 'say')).toEqual([{ type: 'start-child', going: 'on' }]);
    expect(without(play.end(KILLED, 0), 'say')).toEqual([{ type: 'start-child', going: 'on' }]);
  });

  it('when it could not be started', () => {
    const play = new Play();
    expect(play.end({ kind: 'not-started', reason: 'spawn EAGAIN' }).map((effect) => effect.type)).toEqual([
      'say',
      'start-child',
    ]);
  });

  it.each([1, 13, 70, 134])('again after exit status %i', (status) => {
    expect(without(new Play().end({ kind: 'exited', status }), 'say')).toEqual([
      { type: 'start-child', going: 'as-asked' },
    ]);
  });
});

describe('the supervisor ends', () => {
  it('with 7 and the last error when ten restarts within 60 s were not enough', () => {
    const play = new Play();
    for (let crash = 0; crash < 10; crash++) play.crash();
    play.take({ type: 'run-failed', failure: { code: 'WORKER_LOST', message: 'worker 1 has gone.' } });
    const [say, exit] = play.end(CRASH);
    expect(exit).toEqual({ type: 'exit', status: 7 });
    expect(say).toMatchObject({
      level: 'error',
      text: expect.stringMatching(/^RESTARTS_SPENT: .*WORKER_LOST: worker 1 has gone\. Run/),
    });
  });

  it('not with 7 when the crashes are spread out', () => {
    const play = new Play();
    for (let crash = 0; crash < 100; crash++) {
      play.crash();
      play.atMs += 6_001;
    }
    expect(play.effects.filter((effect) => effect.type === 'exit')).toEqual([]);
  });

  it('not with 7 when each run gets further than the one before (P5)', () => {
    const play = new Play();
    for (let crash = 0; crash < 100; crash++) {
      play.take({ type: 'run-progressed' });
      expect(play.crash()).toBe(0);
    }
    expect(play.effects.filter((effect) => effect.type === 'exit')).toEqual([]);
  });

  it.each([0, 2, 3, 4, 5, 6, 130, 143])('with the child, when that ends with %i', (status) => {
    expect(new Play().end({ kind: 'exited', status })).toEqual([{ type: 'exit', status }]);
  });

  it('not because the store is away, once the run has started', () => {
    const play = new Play();
    play.take({ type: 'run-started' });
    expect(play.end({ kind: 'exited', status: 3 }).map((effect) => effect.type)).toEqual(['say', 'start-child']);
    expect(play.end({ kind: 'exited', status: 3 }).map((effect) => effect.type)).toEqual(['say', 'set-timer']);
  });

  it('with 130 or 143 when the child was ended by that signal', () => {
    expect(new Play().end({ kind: 'killed', signal: 'SIGINT' })).toEqual([{ type: 'exit', status: 130 }]);
    expect(new Play().end({ kind: 'killed', signal: 'SIGTERM' })).toEqual([{ type: 'exit', status: 143 }]);
  });
});

describe('a signal', () => {
  it('asks the child for its last checkpoint and sets a limit to it', () => {
    const play = new Play();
    expect(play.signal('SIGTERM')).toEqual([
      { type: 'stop-child', signal: 'SIGTERM' },
      { type: 'set-timer', delayMs: 29_500 },
    ]);
    expect(play.end({ kind: 'exited', status: 143 })).toEqual([{ type: 'exit', status: 143 }]);
  });

  it('that comes again within 250 ms is an echo (npm passes Ctrl-C on a second time)', () => {
    const play = new Play();
    play.signal('SIGINT');
    play.atMs += 249;
    expect(play.signal('SIGINT')).toEqual([]);
  });

  it('that comes again kills the child; the end waits for the child (P1)', () => {
    const play = new Play();
    play.signal('SIGINT');
    play.atMs += 250;
    expect(play.signal('SIGTERM')).toEqual([{ type: 'kill-child' }]);
    play.atMs += 1_000;
    expect(play.signal('SIGTERM')).toEqual([]);
    expect(play.end(KILLED)).toEqual([{ type: 'exit', status: 130 }]);
  });

  it('kills a child that does not end in time', () => {
    const play = new Play();
    play.signal('SIGTERM');
    expect(play.take({ type: 'timer' })).toEqual([{ type: 'kill-child' }]);
    expect(play.end(KILLED)).toEqual([{ type: 'exit', status: 143 }]);
  });

  it('keeps a crash from starting anything (P4)', () => {
    const play = new Play();
    play.signal('SIGTERM');
    const [say, exit] = play.end(CRASH);
    expect(say).toMatchObject({ level: 'error' });
    expect(exit).toEqual({ type: 'exit', status: 143 });
  });

  it.each([0, 2, 4, 5, 6])('does not hide that the child ended with %i', (status) => {
    const play = new Play();
    play.signal('SIGINT');
    expect(play.end({ kind: 'exited', status })).toEqual([{ type: 'exit', status }]);
  });

  it('ends a wait at once', () => {
    const play = new Play();
    play.crash();
    play.end(CRASH);
    expect(play.state.phase).toBe('waiting');
    expect(play.signal('SIGINT')).toEqual([{ type: 'exit', status: 130 }]);
  });
});

describe('after the end', () => {
  it.each<SupervisorEvent>([
    { type: 'run-started' },
    { type: 'run-failed', failure: { code: 'X', message: '' } },
    { type: 'child-ended', end: CRASH, atMs: 0, random: 0 },
    { type: 'signal', signal: 'SIGINT', atMs: 0 },
    { type: 'timer' },
  ])('$type has no effect', (event) => {
    const play = new Play();
    play.end({ kind: 'exited', status: 0 });
    expect(play.take(event)).toEqual([]);
    expect(play.state.phase).toBe('ended');
  });
});

describe('whatever comes', () => {
  it('there is at most one child, and the end waits for it (P1, P2)', () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = generator(seed);
      const play = new Play();
      let children = 0;
      let seen = 0;
      const check = (): void => {
        for (; seen < play.effects.length; seen++) {
          const effect = play.effects[seen];
          if (effect?.type === 'start-child') expect(++children, `seed ${seed}`).toBe(1);
          if (effect?.type === 'exit') expect(children, `seed ${seed}`).toBe(0);
        }
      };
      check();
      for (let turn = 0; turn < 40; turn++) {
        play.atMs += Math.floor(random() * 400);
        const event = anyEvent(random, play.atMs, children > 0);
        if (event.type === 'child-ended') children--;
        play.take(event);
        check();
      }
    }
  });
});

function anyEvent(random: () => number, atMs: number, lives: boolean): SupervisorEvent {
  const which = random();
  if (which < 0.1) return { type: 'signal', signal: random() < 0.5 ? 'SIGINT' : 'SIGTERM', atMs };
  if (which < 0.3) return { type: 'timer' };
  if (!lives) return { type: 'timer' };
  if (which < 0.4) return { type: 'run-started' };
  if (which < 0.5) return { type: 'run-failed', failure: { code: 'WORKER_LOST', message: 'gone' } };
  const end: ChildEnd = random() < 0.1 ? { kind: 'exited', status: 0 } : CRASH;
  return { type: 'child-ended', end, atMs, random: random() };
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
