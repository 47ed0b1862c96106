import { reviewListpack } from '@ruyi/redis';
import { expectNoLeaks, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  expectNoLeaks();
});

test('the redis-server that Ruyi starts is fine', async () => {
  expect(await reviewListpack(redis.client)).toEqual([]);
});

test('the settings that a redis-server has by itself are named, with what to set', async () => {
  await redis.client.config('SET', 'zset-max-listpack-entries', '128');
  await redis.client.config('SET', 'zset-max-listpack-value', '16');
  expect(await reviewListpack(redis.client)).toEqual([
    { message: expect.stringMatching(/^zset-max-listpack-entries is 128: /), fix: 'set zset-max-listpack-entries 512' },
    { message: expect.stringMatching(/^zset-max-listpack-value is 16: /), fix: 'set zset-max-listpack-value 64' },
  ]);
});

test('a Redis that does not allow CONFIG is not complained about', async () => {
  await redis.client.call('ACL', 'SETUSER', 'default', '-config');
  expect(await reviewListpack(redis.client)).toEqual([]);
});
