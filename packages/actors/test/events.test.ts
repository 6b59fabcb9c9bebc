import { Events } from '@tidemark/actors/internal';
import { describe, expect, it } from 'vitest';

describe('events', () => {
  it('reach every listener, also behind one that throws', () => {
    const failed: unknown[] = [];
    const events = new Events<{ done: number }>((name, error) => failed.push([name, error]));
    const heard: number[] = [];
    const broken = new Error('broken');
    events.on('done', () => {
      throw broken;
    });
    events.on('done', (rows) => heard.push(rows));
    expect(events.emit('done', 3)).toBe(true);
    expect(heard).toEqual([3]);
    expect(failed).toEqual([['done', broken]]);
  });

  it('say that nobody has listened, and do not reach who has stopped to', () => {
    const events = new Events<{ done: number }>(() => undefined);
    const heard: number[] = [];
    const off = events.on('done', (rows) => heard.push(rows));
    off();
    expect(events.emit('done', 1)).toBe(false);
    expect(heard).toEqual([]);
  });
});
