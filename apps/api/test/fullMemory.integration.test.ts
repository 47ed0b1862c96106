import type { PartAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { broadcasting } from './broadcasting.ts';
import { isFull } from './broadcastSizes.ts';
import { testSystem } from './harness.ts';
import { begin, isStaged, leavesNothing, MANY } from './uploading.ts';

/** Uploads into a Redis that has hardly any memory, or none. */

const system = testSystem();
const { create, upload, show } = broadcasting(system);

/** Lets Redis use more than 80 % of what it may. */
async function fillMemory(): Promise<void> {
  const [, used = '0'] = /^used_memory:(\d+)/m.exec(await system.redis.client.info('memory')) ?? [];
  await system.redis.client.config('SET', 'maxmemory', Math.floor(Number(used) / 0.85));
  await waitFor(async () => (await system.post('/broadcasts', { payload: 'YQ==' })).status === 429);
}

test('at 80 % of its memory an upload waits, and goes on when there is memory again', async () => {
  const no = await create();
  await fillMemory();
  const pending = upload<PartAnswer>(no, 0, MANY);
  await waitFor(async () => (await system.redis.client.keys(`r:{b${no}}:upload:0`)).length === 1);
  expect(await system.redis.client.keys(`r:*:bs:${no}:*`)).toEqual([]);
  await system.redis.client.config('SET', 'maxmemory', '0');
  expect((await pending).body.accepted).toBe(60_000);
});

test('without any memory an upload that is on its way waits, too', async () => {
  const no = await create();
  const late = begin(system.address, no, MANY);
  await isStaged(system, no);
  const { client } = system.redis;
  const [, used = '0'] = /^used_memory:(\d+)/m.exec(await client.info('memory')) ?? [];
  await client.config('SET', 'maxmemory', Math.floor(Number(used) / 2));
  const refusals = async () => Number(/errorstat_OOM:count=(\d+)/.exec(await client.info('errorstats'))?.[1] ?? 0);
  const before = await refusals();
  late.end();
  await waitFor(async () => (await refusals()) > before, { what: 'Redis to refuse something' });
  await client.config('SET', 'maxmemory', '0');
  expect(await late.answered).toMatchObject({ status: 200 });
  expect(await show(no)).toMatchObject({ accepted: 60_000 });
});

if (!isFull) console.log('skipped: an upload that waits for memory for 30 s; set BROADCAST_SIZES=full');

test.runIf(isFull)('after 30 s without memory an upload is 429, and its part is dropped', async () => {
  const no = await create();
  const late = begin(system.address, no, MANY);
  await isStaged(system, no);
  await fillMemory();
  const from = await system.redis.client.time();
  late.end();
  expect(await late.answered).toEqual({ status: 429, code: 'overloaded' });
  const seconds = Number((await system.redis.client.time())[0]) - Number(from[0]);
  expect(seconds).toBeGreaterThanOrEqual(28);
  await leavesNothing(system, no);
  await system.redis.client.config('SET', 'maxmemory', '0');
});
