import { keys } from '@ruyi/store';
import { expect, test } from 'vitest';
import { testStores } from './harness.ts';

const redis = testStores();
const spec = {
  name: '',
  from: 'news',
  header: { no_persist: 0, red_dot: 0, sync_once: 0 },
  setting: 0,
  topic: '',
  expire: 0,
  clientMsgNo: 'no',
  rate: 0,
  startAt: 0,
} as const;
const next = (index: number) => ({
  index,
  shard: 0,
  chunk: index / 10,
  start: index,
  count: 10,
  size: 10,
  offset: 2 * index,
  length: 20,
});

test('recipients are claimed once, in order, by the coordinator that has the broadcast, and only while it runs', async () => {
  const { broadcasts } = redis.open();
  await broadcasts.create('b1', spec, 'YQ==');
  await redis.client.hset(keys.about('b1'), { uploaded: 1, accepted: 100, total: 100 });
  const started = await broadcasts.change('b1', 'start');
  expect(await broadcasts.take('b1', started?.run ?? 0, 'first')).toEqual({ hasWork: true, waitSeconds: 0 });
  const claim = (token: string, index: number) => broadcasts.claim('b1', token, `job-${index}`, next(index), 0);
  expect([await claim('first', 0), await claim('first', 0), await claim('first', 20)]).toEqual([0, -1, -1]);

  await broadcasts.change('b1', 'pause');
  expect(await claim('first', 10)).toBe(-1);
  const resumed = await broadcasts.change('b1', 'resume');
  expect(await claim('first', 10)).toBe(0);
  // A second coordinator: the first one, which may have been frozen, has nothing to say any more.
  expect((await broadcasts.take('b1', started?.run ?? 0, 'late')).hasWork).toBe(false);
  await broadcasts.take('b1', resumed?.run ?? 0, 'second');
  expect([await claim('first', 20), await claim('second', 20)]).toEqual([-1, 0]);

  await broadcasts.change('b1', 'cancel');
  expect(await claim('second', 30)).toBe(-1);
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 30, cancelled: 70, state: 'cancelled' });
  expect([...(await broadcasts.flight('b1')).keys()].sort()).toEqual(['job-0', 'job-10', 'job-20']);
  expect(await broadcasts.finish('b1', 'second', { handled: 30, allFailed: false })).toBeUndefined();
});

test('a broadcast adds up although Redis has forgotten a claim whose job was worked', async () => {
  const { broadcasts } = redis.open();
  await broadcasts.create('b1', spec, 'YQ==');
  await redis.client.hset(keys.about('b1'), { uploaded: 1, accepted: 100, total: 100 });
  const started = await broadcasts.change('b1', 'start');
  await broadcasts.take('b1', started?.run ?? 0, 'only');
  await broadcasts.claim('b1', 'only', 'job', next(0), 0);
  await broadcasts.landed('b1', ['job']);
  const cancelled = await broadcasts.change('b1', 'cancel');
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 10, cancelled: 90 });
  await broadcasts.take('b1', cancelled?.run ?? 0, 'last');
  expect(await broadcasts.finish('b1', 'last', { handled: 20, allFailed: false })).toBe('cancelled');
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 20, cancelled: 80 });
});
