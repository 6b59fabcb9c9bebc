import { TrafficMeter } from '@tidemark/checkpoint/internal';
import { MemoryStore, type StoreTraffic } from '@tidemark/stores';
import { expect, test } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';

/** Counts the puts and gets that tests make of it. */
class CountingStore extends MemoryStore {
  counts: StoreTraffic = { requests: { PutObject: 2 }, bytesSent: 100, bytesReceived: 7 };

  traffic(): StoreTraffic {
    return this.counts;
  }
}

test('the traffic of a checkpoint is what was asked since the one before', () => {
  const store = new CountingStore('counting');
  const clock = new ManualClock();
  const meter = new TrafficMeter(store, clock);
  clock.advance(1_000);
  store.counts = { requests: { PutObject: 5, GetObject: 1 }, bytesSent: 150, bytesReceived: 7 };
  expect(meter.take()).toEqual({
    ms: 1_000,
    requests: { PutObject: 3, GetObject: 1 },
    bytesSent: 50,
    bytesReceived: 0,
  });
  clock.advance(500);
  expect(meter.take()).toEqual({ ms: 500, requests: {}, bytesSent: 0, bytesReceived: 0 });
});

test('a store that does not count has none', () => {
  expect(new TrafficMeter(new MemoryStore('silent'), new ManualClock()).take()).toBeNull();
});
