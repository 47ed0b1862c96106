import { keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { jobRun, LIMITS, logOf, message, testStores, upTo } from './harness.ts';

const redis = testStores();

test('while Redis is out of memory a job waits, fails nothing, and goes on when there is memory again', async () => {
  const store = redis.open();
  const lane = store.appender('send.0');
  await lane.appendMessages(jobRun('a'), [message(1)]);
  await redis.client.config('SET', 'maxmemory', '1');
  let attempts = 0;
  const waiting = redis.open({}, (send) => {
    attempts++;
    return send();
  });
  const items = upTo(100).map((id) => message(id + 1));
  const stored = waiting.appender('send.0').appendMessages(jobRun('b'), items);
  await waitFor(() => attempts > 3, { what: 'some refused calls' });
  expect(await redis.client.get(keys.seq(shardOf('2:room', LIMITS.shards), '2:room'))).toBe('1');
  await redis.client.config('SET', 'maxmemory', '0');
  expect((await stored).map(({ seq, failure }) => [seq, failure])).toEqual(items.map((_, i) => [i + 2, undefined]));
});

test('a job goes on by itself after a restart of Redis that forgot the scripts', async () => {
  const store = redis.open();
  const lane = store.appender('send.0');
  await lane.appendMessages(jobRun('a'), [message(1)]);
  await redis.server.restart();
  await lane.appendMessages(jobRun('b'), [message(2)]);
  // Without a data file the server comes back empty, the worst that its operator can ask for: nothing hangs.
  expect(await logOf(redis.client, '2:room')).toHaveLength(1);
});
