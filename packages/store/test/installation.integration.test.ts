import {
  checkInstallation,
  decimalShards,
  evenShards,
  keys,
  type Member,
  newMember,
  SCHEMA,
  type Shards,
  shardNumber,
  shardsOfInstallation,
  VERSION,
} from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { jobRun, message, testStores, upTo } from './harness.ts';

const redis = testStores();
const SHARDS = { shards: 64 };
const start = (self: Member = newMember('worker', 8)) => checkInstallation(redis.client, SHARDS, self);
const schema = async () => Number(await redis.client.hget(keys.meta, 'schema'));
/** A sign of life as a version without members gives it. */
const shareLanes = (name: string) => redis.client.zadd(keys.workers, Date.now(), name);
const report = (name: string) =>
  redis.client.multi().set(keys.report(name), '{}', 'EX', 30).sadd(keys.reports, name).exec();

test('SHARDS is fixed by the first start', async () => {
  await start();
  await start();
  await expect(checkInstallation(redis.client, { shards: 32 }, newMember('api', 8))).rejects.toThrow(
    'SHARDS=32: the data in Redis was written with SHARDS=64, which is fixed',
  );
});

test('data of a later schema is refused, naming both', async () => {
  await redis.client.hset(keys.meta, { schema: 99, shards: 64 });
  await expect(start()).rejects.toThrow(new RegExp(`schema 99, version ${VERSION} reads ${SCHEMA}`));
});

test('members know of each other what they tell, and names differ with every start', async () => {
  const [api, worker] = [newMember('api', 8), newMember('worker', 4)];
  expect(newMember('api', 8).name).not.toBe(api.name);
  const { members } = redis.open();
  const know = async () => {
    await start(api);
    const { members: living } = await start(worker);
    expect(living.toSorted((a, b) => (a.role < b.role ? -1 : 1))).toEqual([api, worker]);
    expect(await members.all()).toHaveLength(2);
    await members.leave(api.name);
    expect(await members.all()).toEqual([worker]);
    return true;
  };
  // On a busy machine some seconds may pass in between, and a member that is silent for so long is gone.
  await waitFor(know, { what: 'both to be known' });
});

test('a member that says nothing any more is gone after a few seconds', async () => {
  const silent = newMember('worker', 8);
  await start(silent);
  const { members } = redis.open();
  const present = newMember('api', 8);
  const gone = async () => (await members.join(present)).length === 1;
  await waitFor(gone, { what: 'the silent member to be dropped' });
  expect(await members.all()).toEqual([present]);
  expect(await redis.client.hkeys(keys.memberFacts)).toEqual([present.name]);
});

test('a member of a later version, with another role and more to tell, is no obstacle', async () => {
  const later = { ...newMember('webhooks', 8), version: '9.0.0', schema: SCHEMA + 1, sharding: 'new' };
  await redis.open().members.join(later);
  expect((await start()).members).toContainEqual(later);
});

describe('data of an earlier schema', () => {
  const earlier = () => redis.client.hset(keys.meta, { schema: SCHEMA - 1, shards: 64 });

  test('is taken over if no earlier process lives; from then on earlier versions refuse it', async () => {
    await earlier();
    // Left behind by processes that ended: no sign of life is fresh.
    await redis.client.zadd(keys.workers, Date.now() - 10_000, 'box-1');
    await redis.client.multi().set(keys.report('api-1'), '{}', 'EX', 15).sadd(keys.reports, 'api-1').exec();
    await start();
    expect(await schema()).toBe(SCHEMA);
  });

  test.each<[string, (name: string) => Promise<unknown>]>([
    ['a worker', shareLanes],
    ['any other process', report],
  ])('is refused while %s of an earlier version lives, by its name', async (_, signOfLife) => {
    await earlier();
    const alive = setInterval(() => void signOfLife('box-17'), 300);
    await signOfLife('box-17');
    try {
      await expect(start()).rejects.toThrow(/earlier version .*box-17; stop them first$/);
      expect(await schema()).toBe(SCHEMA - 1);
      expect(await redis.open().members.all()).toEqual([]);
    } finally {
      clearInterval(alive);
    }
  });

  test('is taken over once the last earlier process has ended', async () => {
    await earlier();
    await shareLanes('box-17');
    await start();
    expect(await schema()).toBe(SCHEMA);
  });

  test('is refused while a member knows only that one', async () => {
    await earlier();
    const { members } = redis.open();
    const old: Member = { ...newMember('api', 8), version: '0.0.9', schema: SCHEMA - 1 };
    const alive = setInterval(() => void members.join(old), 300);
    await members.join(old);
    try {
      await expect(start()).rejects.toThrow(`${old.name} (0.0.9)`);
    } finally {
      clearInterval(alive);
    }
  });
});

describe('the tags of shards', () => {
  const inbox = async () => {
    const [, [key = '']] = await redis.client.scan(0, 'MATCH', 'r:{*}:in:bob', 'COUNT', 1000);
    return key;
  };
  const write = async (shards: Shards) => {
    const store = redis.open({ shards });
    const id = await store.ids.one();
    await store.appender('send.0').appendMessages(jobRun(`job-${id}`), [message(id, { cmd: 1, ch: '1:ann@bob' })]);
    return store.inboxes.read('bob', 0, 10);
  };

  test('a new installation has even ones, also if many processes begin it at once', async () => {
    const joined = await Promise.all(upTo(20).map(() => start()));
    for (const { shards } of joined) expect(shards).toEqual(evenShards(64));
  });

  test('one that began with decimal tags keeps them, and its data', async () => {
    await redis.client.hset(keys.meta, { schema: SCHEMA - 1, shards: 64 });
    await write(decimalShards(64));
    const key = await inbox();
    expect(key).toBe(`r:{${shardNumber('bob', 64)}}:in:bob`);
    const { shards } = await start();
    expect(shards).toEqual(decimalShards(64));
    expect(await shardsOfInstallation(redis.client, { shards: 64 })).toEqual(decimalShards(64));
    expect(await write(shards)).toHaveLength(2);
    expect(await redis.client.llen(key)).toBe(2);
  });
});

test('a process knows how far its clock is ahead of that of Redis, and tells it with its next sign of life', async () => {
  const { members } = redis.open();
  const member = newMember('worker', 2);
  const right = Date.now;
  try {
    Date.now = () => right() + 60_000;
    // An answer that takes too long says nothing about the clocks.
    const measured = async () => {
      await members.join(member);
      return members.clockAheadMs !== undefined;
    };
    await waitFor(measured, { what: 'the clocks to be compared' });
  } finally {
    Date.now = right;
  }
  const ahead = members.clockAheadMs ?? 0;
  expect(Math.abs(ahead - 60_000)).toBeLessThan(1000);
  await members.join({ ...member, clock_ahead_ms: ahead });
  expect((await members.all()).find(({ name }) => name === member.name)?.clock_ahead_ms).toBe(ahead);
  await members.leave(member.name);
});
