import { HEALTH_CHECKS, type HealthAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testSystem } from './harness.ts';

const system = testSystem(['worker', 'indexer']);

const health = () => system.get<Required<HealthAnswer>>('/health');
const isWell = () =>
  waitFor(async () => (await health()).body.status === 'ok', { what: 'the health to be well', deadlineMs: 20_000 });

test('is ok while every check is', async () => {
  await isWell();
  const { status, body } = await health();
  expect([status, body]).toEqual([
    200,
    { status: 'ok', checks: Object.fromEntries(HEALTH_CHECKS.map((name) => [name, { status: 'ok' }])) },
  ]);
});

test('is degraded while writes are refused because Redis is full, and says so with 200', async () => {
  await isWell();
  const { client } = system.redis;
  // Over 80 % of what is allowed, and not yet over all of it.
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', String(Math.round(used * 1.12)));
  await waitFor(async () => (await health()).body.checks.memory.status === 'degraded', {
    what: 'the memory to be full',
  });
  const message = { channel_id: 'room', channel_type: 2, payload: 'YQ==' };
  await waitFor(async () => (await system.send(message)).status === 429, { what: 'writes to be refused' });
  const { status, body } = await health();
  expect([status, body.status, body.checks.memory]).toEqual([
    200,
    'degraded',
    {
      status: 'degraded',
      message: expect.stringMatching(/^Redis uses \d+ of \d+ MiB, more than 80 %: writes are answered 429$/),
      fix: expect.stringContaining('REDIS_MAXMEMORY'),
    },
  ]);
  await client.config('SET', 'maxmemory', '0');
  await isWell();
  await waitFor(async () => (await system.send(message)).status === 200, { what: 'writes to be taken' });
});

test('is down while Redis does not answer, and says so before any command fails', async () => {
  await isWell();
  await system.redis.kill('SIGSTOP');
  const command = system.get('/channel/info', { channel_id: 'room', channel_type: '2' });
  const first = await Promise.race([
    waitFor(async () => (await health()).status === 503),
    command.then(() => 'command'),
  ]);
  expect(first).toBe(true);
  const { body } = await health();
  expect(body.status).toBe('down');
  expect(body.checks.redis).toMatchObject({
    status: 'down',
    message: expect.stringMatching(/^Redis does not answer: /),
  });
  expect([body.checks.workers.status, body.checks.search.status]).toEqual(['unknown', 'ok']);
  expect((await command).status).toBe(503);
  await system.redis.kill('SIGCONT');
  await isWell();
});
