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

/** A broadcast of 100 that was started: its number is b1. */
async function started() {
  const { broadcasts } = redis.open();
  await broadcasts.create('b1', spec, 'YQ==');
  await redis.client.hset(keys.about('b1'), { uploaded: 1, accepted: 100, total: 100, ready: 1 });
  const change = await broadcasts.change('b1', 'start');
  return { broadcasts, run: change?.run ?? 0 };
}

test('recipients are claimed once, in order, by the coordinator that has the broadcast, and only while it runs', async () => {
  const { broadcasts, run } = await started();
  expect(await broadcasts.take('b1', run, 'first')).toEqual({ hasWork: true, waitSeconds: 0 });
  const claim = (token: string, index: number) => broadcasts.claim('b1', token, `job-${index}`, [next(index)], 0);
  expect([await claim('first', 0), await claim('first', 0), await claim('first', 20)]).toEqual([0, -1, -1]);

  await broadcasts.change('b1', 'pause');
  expect(await claim('first', 10)).toBe(-1);
  const resumed = await broadcasts.change('b1', 'resume');
  expect(await claim('first', 10)).toBe(0);
  // A second coordinator: the first one, which may have been frozen, has nothing to say any more.
  expect((await broadcasts.take('b1', run, 'late')).hasWork).toBe(false);
  await broadcasts.take('b1', resumed?.run ?? 0, 'second');
  expect([await claim('first', 20), await claim('second', 20)]).toEqual([-1, 0]);

  await broadcasts.change('b1', 'cancel');
  expect(await claim('second', 30)).toBe(-1);
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 30, cancelled: 70, state: 'cancelled' });
  expect([...(await broadcasts.flight('b1')).keys()].sort()).toEqual(['job-0', 'job-10', 'job-20']);
  expect(await broadcasts.finish('b1', 'second', { handled: 30, allFailed: false })).toBeUndefined();
});

test('nobody is claimed before every recipient has a position, as when Redis has forgotten them', async () => {
  const { broadcasts, run } = await started();
  await broadcasts.take('b1', run, 'only');
  await redis.client.hdel(keys.about('b1'), 'ready');
  expect(await broadcasts.claim('b1', 'only', 'job', [next(0)], 0)).toBe(-1);
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 0 });
});

test('a broadcast adds up although Redis has forgotten a claim whose job was worked', async () => {
  const { broadcasts, run } = await started();
  await broadcasts.take('b1', run, 'only');
  await broadcasts.claim('b1', 'only', 'job', [next(0)], 0);
  await broadcasts.landed('b1', ['job']);
  const cancelled = await broadcasts.change('b1', 'cancel');
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 10, cancelled: 90 });
  await broadcasts.take('b1', cancelled?.run ?? 0, 'last');
  expect(await broadcasts.finish('b1', 'last', { handled: 20, allFailed: false })).toBe('cancelled');
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 20, cancelled: 80 });
});

test('a job has all of its shards or none; what an earlier version noted is read as well', async () => {
  const { broadcasts, run } = await started();
  await broadcasts.take('b1', run, 'only');
  const of = (shard: number, index: number) => ({ ...next(index), shard });
  const claim = (id: string, claims: ReturnType<typeof next>[]) => broadcasts.claim('b1', 'only', id, claims, 0);
  expect(await claim('first', [of(0, 0), of(1, 0)])).toBe(0);
  // Shard 1 is not there any more: nothing of shard 2 is claimed either.
  expect(await claim('second', [of(2, 0), of(1, 0)])).toBe(-1);
  expect(await claim('third', [of(2, 0), of(1, 10)])).toBe(0);
  expect(await broadcasts.read('b1')).toMatchObject({ claimed: 40 });
  expect(await broadcasts.cursors('b1')).toEqual(
    new Map([
      [0, { index: 10, offset: 20 }],
      [1, { index: 20, offset: 40 }],
      [2, { index: 10, offset: 20 }],
    ]),
  );
  const { index: _, ...earlier } = of(3, 0);
  await redis.client.hset(keys.flight('b1'), 'earlier', JSON.stringify(earlier));
  const flight = await broadcasts.flight('b1');
  expect([...flight].map(([id, claims]) => [id, claims.map(({ shard, start }) => [shard, start])]).sort()).toEqual([
    ['earlier', [[3, 0]]],
    [
      'first',
      [
        [0, 0],
        [1, 0],
      ],
    ],
    [
      'third',
      [
        [2, 0],
        [1, 10],
      ],
    ],
  ]);
});
