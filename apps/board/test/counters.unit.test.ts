import { expect, test } from 'vitest';
import { Counters } from '../src/live/counters.ts';

/** What GET /metrics says of one worker that has stored this much, and of one indexer. */
const metrics = (stored: { send: number; fanout: number }, process = 'worker-1', buckets: [string, number][] = []) =>
  [
    '# HELP ruyi_stored_total stored messages',
    `ruyi_stored_total{kind="send",process="${process}"} ${stored.send}`,
    `ruyi_stored_total{kind="fanout",process="${process}"} ${stored.fanout}`,
    ...buckets.map(([le, n]) => `ruyi_search_freshness_seconds_bucket{le="${le}",process="indexer-1"} ${n}`),
    '',
  ].join('\n');

test('throughput is what counters grew by in a second, over ten seconds', () => {
  const counters = new Counters();
  counters.take(metrics({ send: 0, fanout: 1000 }), 100);
  expect(counters.throughput).toBeNull();
  counters.take(metrics({ send: 50, fanout: 1000 }), 105);
  expect(counters.throughput).toEqual({ at: 105, send: 10, fanout: 0 });
  counters.take(metrics({ send: 50, fanout: 21_000 }), 110);
  counters.take(metrics({ send: 50, fanout: 21_000 }), 115);
  expect(counters.throughput).toEqual({ at: 115, send: 0, fanout: 2000 });
  expect(counters.history.map(({ at }) => at)).toEqual([105, 110, 115]);
});

test('a worker that starts again counts from 0 under another name', () => {
  const counters = new Counters();
  counters.take(metrics({ send: 900, fanout: 0 }, 'worker-1'), 0);
  counters.take(metrics({ send: 20, fanout: 0 }, 'worker-2'), 5);
  expect(counters.throughput).toEqual({ at: 5, send: 4, fanout: 0 });
});

test('after a pause nothing is made up: there is no rate, and what is older than five minutes is gone', () => {
  const counters = new Counters();
  counters.take(metrics({ send: 0, fanout: 0 }), 0);
  counters.take(metrics({ send: 5, fanout: 0 }), 5);
  counters.take(metrics({ send: 5000, fanout: 0 }), 400);
  expect([counters.throughput, counters.history]).toEqual([null, []]);
});

test('freshness is of what was indexed in the last minute, and null if nothing was', () => {
  const counters = new Counters();
  const at = (time: number, upTo1: number, upTo5: number, all: number) =>
    counters.take(
      metrics({ send: 0, fanout: 0 }, 'worker-1', [
        ['1', upTo1],
        ['5', upTo5],
        ['+Inf', all],
      ]),
      time,
    );
  at(0, 1000, 1000, 1000);
  expect(counters.freshness).toBeNull();
  at(10, 1050, 1100, 1100);
  expect(counters.freshness).toEqual({ median: 1, p99: 1 + (49 / 50) * 4 });
  at(90, 1050, 1100, 1100);
  expect(counters.freshness).toBeNull();
});
