import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testSystem } from './harness.ts';

const system = testSystem();

const health = async () => {
  const { status, body } = await system.get<{ status: string; checks: object }>('/health');
  return [status, body.status, body.checks];
};

test('is degraded while writes are refused because Redis is full, and says so with 200', async () => {
  expect(await health()).toEqual([200, 'ok', { redis: 'ok', search: 'ok' }]);
  const { client } = system.redis;
  // Over 80 % of what is allowed, and not yet over all of it.
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', String(Math.round(used * 1.12)));
  await waitFor(async () => (await health())[1] === 'degraded', { what: 'the health to be degraded' });
  const message = { channel_id: 'room', channel_type: 2, payload: 'YQ==' };
  expect((await system.send(message)).status).toBe(429);
  expect((await health())[0]).toBe(200);
  await client.config('SET', 'maxmemory', '0');
  await waitFor(async () => (await health())[1] === 'ok', { what: 'the health to be well again' });
  expect((await system.send(message)).status).toBe(200);
});

test('is down, and soon, while Redis does not answer', async () => {
  await system.redis.kill('SIGSTOP');
  const before = Date.now();
  const [status, state] = await health();
  // A command to Redis fails after 2 s; the health does not wait for that.
  expect([status, state, Date.now() - before < 1900]).toEqual([503, 'down', true]);
  await system.redis.kill('SIGCONT');
  await waitFor(async () => (await health())[1] === 'ok', { what: 'the health to be well again' });
});
