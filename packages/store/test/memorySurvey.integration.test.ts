import { channelName } from '@ruyi/contracts';
import { connect } from '@ruyi/redis';
import { keys, shardOf, surveyMemory } from '@ruyi/store';
import { expect, test } from 'vitest';
import { jobRun, LIMITS, message, names, now, testStores, upTo } from './harness.ts';
import { storeBatch } from './sweeping.ts';

const redis = testStores();
const EXACT = { seconds: Number.POSITIVE_INFINITY, exact: true };
const logKey = (channel: string) => keys.log(shardOf(channel, LIMITS.shards), channel);

const usage = async (pattern: string) => {
  const found = await redis.client.keys(pattern);
  const sizes = await Promise.all(found.map((key) => redis.client.memory('USAGE', key, 'SAMPLES', 0)));
  return { keys: found.length, bytes: sizes.reduce<number>((sum, size) => sum + Number(size), 0) };
};

test('every key is counted under its kind, with its exact size if asked for', async () => {
  const store = redis.open();
  await storeBatch(store, 'b1', names(50));
  await storeBatch(store, 'b2', names(20), { command: true });
  const items = upTo(300).map((id) => message(id, { idem: `hash-${id}`, digest: 'd' }));
  await store.appender('send.0').appendMessages(jobRun('j'), items);
  await store.channels.addSubscribers(2, 'room', names(5));
  await store.progress.open('b1', {
    total: 1,
    toStore: true,
    createdAt: 1,
    firstAt: 0,
    refused: { invalid: [], unknown: [] },
  });
  await redis.client.hset('{r.send.0}:send.0:1', { data: 'x' });
  await redis.client.hset('{r.dead}:dead:1', { data: 'x' });
  await redis.client.set('another', 'x');
  const survey = await surveyMemory(redis.client, EXACT);
  expect(survey.kinds.logs).toEqual(await usage('r:{*}:log:*'));
  expect(survey.kinds.logs.keys).toBe(51);
  expect(survey.kinds.inboxes).toEqual(await usage('r:{*}:in:*'));
  expect(survey.kinds.idempotency).toEqual(await usage('r:{*}:idem:*'));
  expect(survey.kinds.broadcasts).toEqual(await usage('r:{b*'));
  expect(survey.kinds['channels and users'].keys).toBeGreaterThan(5);
  const [jobs, outboxes] = [await usage('{r.send*'), await usage('r:{*}:outbox')];
  expect(outboxes.keys).toBeGreaterThan(0);
  expect(survey.kinds.queues).toEqual({ keys: jobs.keys + outboxes.keys, bytes: jobs.bytes + outboxes.bytes });
  expect(survey.kinds['dead letters']).toEqual(await usage('{r.dead}*'));
  expect(survey.kinds['not of Ruyi']).toEqual(await usage('another'));
  const total = Object.values(survey.kinds).reduce((sum, kind) => sum + kind.keys, 0);
  expect(total).toBe(await redis.client.dbsize());
  expect(survey.lookedAt).toEqual({ keys: total, of: total });
});

test('the largest channels and inboxes come first, at most ten', async () => {
  const lane = redis.open().appender('send.0');
  const items = upTo(20).flatMap((n) =>
    upTo(n).map((i) => message(n * 100 + i, { ch: `2:room${n}`, payload: 'A'.repeat(4000) })),
  );
  await lane.appendMessages(jobRun('a'), items);
  const command = { ch: channelName(1, 'bob', 'ann'), cmd: 1 as const };
  await lane.appendMessages(
    jobRun('b'),
    upTo(3).map((i) => message(9000 + i, command)),
  );
  const { largest } = await surveyMemory(redis.client, EXACT);
  expect(largest.channels.map(({ name, count }) => [name, count])).toEqual(
    upTo(10).map((i) => [`2:room${21 - i}`, 21 - i]),
  );
  expect(largest.inboxes.map(({ name, count }) => [name, count]).sort()).toEqual([
    ['ann', 3],
    ['bob', 3],
  ]);
});

test('what a retention and an age would free is estimated', async () => {
  const lane = redis.open().appender('send.0');
  const items = upTo(100).map((i) => message(i, { ts: now() - 100 * (101 - i) }));
  await lane.appendMessages(jobRun('a'), items);
  await storeBatch(redis.open(), 'b1', names(10), { ts: now() - 9000 });
  await storeBatch(redis.open(), 'b2', names(10));
  const bytes = Number(await redis.client.memory('USAGE', logKey('2:room'), 'SAMPLES', 0));
  const freed = async (bounds: object) => (await surveyMemory(redis.client, { ...EXACT, ...bounds })).freed;
  expect(await freed({ retention: 25 })).toEqual({ messages: 75, bytes: Math.round(bytes * 0.75) });
  expect(await freed({ maxAge: 5000 })).toMatchObject({ messages: expect.closeTo(50 + 10 * 1, -1) });
  expect(await freed({ retention: 1000, maxAge: 1_000_000 })).toEqual({ messages: 0, bytes: 0 });
  expect(await freed({})).toBeUndefined();
});

test('a part of the keys stands for all of them when the time is up', async () => {
  for (const i of upTo(20)) {
    const values = upTo(500).flatMap((j) => [keys.idem('0', `${i}-${j}`), 'S:1:2:3:4']);
    await redis.client.mset(...values);
  }
  const { kinds, lookedAt } = await surveyMemory(redis.client, { seconds: 0, exact: false });
  expect(lookedAt.of).toBe(10_000);
  expect(lookedAt.keys).toBeLessThan(1000);
  expect(kinds.idempotency.keys).toBe(10_000);
  const all = await usage('r:*');
  expect(kinds.idempotency.bytes / all.bytes).toBeCloseTo(1, 1);
});

test('keys that the user of Redis may not see are left out', async () => {
  await redis.client.mset(keys.idem('0', 'a'), 'x', 'another', 'x');
  await redis.client.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~r:*', '+@read', '+info', '+time');
  const limited = connect(redis.server.url.replace('//', '//limited:secret@'), 'background', 'limited');
  limited.on('error', () => {});
  const { kinds } = await surveyMemory(limited, EXACT);
  expect([kinds.idempotency.keys, kinds['not of Ruyi'].keys]).toEqual([1, 0]);
  limited.disconnect();
});

test('damaged keys are counted, and end nothing', async () => {
  await redis.client.set(logKey('2:broken'), 'no log');
  await redis.client.set(keys.inbox('0', 'bob'), 'no inbox');
  await redis.client.zadd(logKey('2:odd'), 1, 'neither');
  const { kinds } = await surveyMemory(redis.client, { ...EXACT, retention: 1, maxAge: 1 });
  expect([kinds.logs.keys, kinds.inboxes.keys]).toEqual([2, 1]);
});
