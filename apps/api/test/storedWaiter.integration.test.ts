import { connect } from '@ruyi/redis';
import { expectNoLeaks, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StoredWaiter } from '../src/ingress/storedWaiter.ts';

let redis: TestRedis;
let waiter: StoredWaiter;
beforeAll(async () => {
  redis = await startRedis();
  waiter = new StoredWaiter(connect(redis.url, 'background', 'test'), 'api');
});
afterAll(async () => {
  await waiter.close();
  await redis.stop();
  expectNoLeaks();
});

test('what nobody publishes is looked for, soon at first, and for the last time when the time is up', async () => {
  const looks: number[] = [];
  const began = performance.now();
  const look = async () => void looks.push(performance.now() - began);
  expect(await waiter.wait(1, 1, look)).toBeUndefined();
  expect(looks.length).toBeGreaterThan(2);
  // Timers of Node may end up to two milliseconds early.
  expect(looks.at(-1)).toBeGreaterThanOrEqual(998);
});

test('it is told as soon as a look finds it; a look that fails is followed by another one', async () => {
  let looks = 0;
  const look = async () => {
    if (++looks === 1) throw new Error('Redis is away');
    return looks === 3 ? 7 : undefined;
  };
  expect(await waiter.wait(2, 30, look)).toBe(7);
  expect(looks).toBe(3);
});
