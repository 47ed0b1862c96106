import { keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiClient, apiClient, base64, fresh, group, names, startApp, testSystem } from './harness.ts';

/** Serves with clocks that are right; its Redis is that of the others. */
const system = testSystem();
const PRELOAD = new URL('wrongClock.mjs', import.meta.url).href;

/** Seconds by the clock of Redis. */
const redisNow = async () => Number((await system.redis.client.time())[0]);

describe.each([
  ['an hour fast', '3600'],
  ['an hour slow', '-3600'],
])('an API and a worker whose clocks are %s', (_, seconds) => {
  const ended: (() => Promise<unknown>)[] = [];
  let api: ApiClient;

  beforeAll(async () => {
    const config = { ...system.config, WRONG_BY_SECONDS: seconds };
    const options = { execArgv: ['--import', PRELOAD] };
    for (const name of ['api', 'worker'] as const) {
      const process = await startApp(name, config, options);
      ended.push(() => process.kill('SIGTERM'));
      if (name === 'api') api = apiClient(String(process.details.address));
    }
  });
  afterAll(async () => {
    for (const end of ended) expect(await end()).toEqual({ code: 0, signal: null });
  });

  /** Expects a time between the two, which Redis told; a measurement may be off by a moment. */
  const expectBetween = (time: number | undefined, before: number, after: number) => {
    expect(time).toBeGreaterThanOrEqual(before - 1);
    expect(time).toBeLessThanOrEqual(after + 1);
  };

  test('give messages the time of Redis', async () => {
    const channel = group(fresh('room'));
    const before = await redisNow();
    await api.send({ ...channel, payload: base64('x') });
    await system.settled();
    const after = await redisNow();
    const [message] = await system.log(channel);
    expectBetween(message?.timestamp, before, after);
  });

  test('repeat the first answer with its time', async () => {
    const channel = group(fresh('room'));
    const message = { ...channel, payload: base64('x'), client_msg_no: 'one' };
    const before = await redisNow();
    const [first, second] = [await api.send(message), await system.send(message)];
    const after = await redisNow();
    expect(second.body.data.message_id).toBe(first.body.data.message_id);
    await system.settled();
    expectBetween((await system.log(channel))[0]?.timestamp, before, after);
  });

  test('let a message live for as long as it says', async () => {
    const channel = group(fresh('room'));
    await api.send({ ...channel, payload: base64('short'), expire: 2 });
    await api.send({ ...channel, payload: base64('long'), expire: 1000 });
    await system.settled();
    await waitFor(async () => (await system.log(channel)).length === 1, { what: 'the short one to expire' });
    expect((await system.log(channel))[0]).toMatchObject({ message_seq: 2, payload: base64('long') });
  });

  test('say when a batch was accepted and done', async () => {
    const before = await redisNow();
    const { batch_no } = (await api.sendBatch({ subscribers: names(3, 'u'), payload: base64('x') })).body;
    await waitFor(async () => (await api.progress(batch_no)).state === 'done', { what: 'the batch to be done' });
    const after = await redisNow();
    const { created_at, finished_at } = await api.progress(batch_no);
    expectBetween(created_at, before, after);
    expectBetween(finished_at, before, after);
  });

  test('tell when they joined', async () => {
    const facts = Object.values(await system.redis.client.hgetall(keys.memberFacts));
    const now = await redisNow();
    for (const fact of facts) expectBetween(JSON.parse(fact).since, now - 300, now);
  });
});
