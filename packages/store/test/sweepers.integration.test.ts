import { channelName } from '@ruyi/contracts';
import { keys, shardOf } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { jobRun, LIMITS, logOf, message, names, now, picture, testStores, upTo } from './harness.ts';
import { expired, signal, storeBatch, sweepWith } from './sweeping.ts';

const redis = testStores();
const shard = (name: string) => shardOf(name, LIMITS.shards);
const personal = (uid: string) => channelName(1, uid, 'ann');
const store = (items: ReturnType<typeof message>[]) =>
  redis
    .open()
    .appender('send.0')
    .appendMessages(jobRun(`job-${items[0]?.id}`), items);
const seqsOf = async (channel: string) => (await logOf(redis.client, channel)).map(({ seq }) => seq);

describe('who sweeps', () => {
  test('one worker does, until it is silent for some seconds or leaves', async () => {
    const [first, second] = [redis.open().sweeper, redis.open().sweeper];
    expect(await first.sweep('one', signal)).toBeDefined();
    expect(await redis.client.pttl(keys.sweeper)).toBeLessThanOrEqual(4000);
    // From here on it is never silent for too long.
    await redis.client.persist(keys.sweeper);
    expect(await second.sweep('two', signal)).toBeUndefined();
    await second.release('two');
    expect(await second.sweep('two', signal)).toBeUndefined();
    await first.release('one');
    expect(await second.sweep('two', signal)).toBeDefined();
  });

  test('a worker that lost the sweep in the middle of a round ends it', async () => {
    await store(upTo(20).map((id) => message(id, { ch: `2:room${id}` })));
    const { sweeper } = redis.open({ logRetention: 1 });
    await sweeper.sweep('one', signal);
    await redis.client.set(keys.sweeper, 'two');
    expect(await sweeper.sweep('one', signal)).toBeUndefined();
  });

  test('a worker that stops ends its round', async () => {
    await store(upTo(20).map((id) => message(id, { ch: `2:room${id}` })));
    const stopping = AbortSignal.abort(new Error('the worker stops'));
    await expect(redis.open().sweeper.sweep('one', stopping)).rejects.toThrow('the worker stops');
  });

  test('two that sweep at once remove everything once', async () => {
    const old = expired();
    await store(upTo(2000).map((id) => message(id, { ch: `2:room${id % 200}`, ...(id % 2 === 0 ? old : {}) })));
    await storeBatch(redis.open(), 'b1', names(200), old);
    const stores = [redis.open({ logRetention: 3 }), redis.open({ logRetention: 3 })];
    const rounds = await Promise.all(
      stores.map(async ({ sweeper }, i) => {
        // The second one takes the sweep while the first one is at it.
        const round = sweeper.sweep(`both-${i}`, signal);
        await redis.client.del(keys.sweeper);
        return round;
      }),
    );
    await sweepWith(redis, { logRetention: 3 });
    expect(rounds.filter((round) => round !== undefined).length).toBeGreaterThan(0);
    for (const n of upTo(200)) {
      const seqs = await seqsOf(`2:room${n - 1}`);
      expect(seqs.length).toBeLessThanOrEqual(5);
    }
    expect(await redis.client.keys('r:{b*')).toEqual([]);
    expect(await redis.client.keys('r:*:log:1:*')).toEqual([]);
  });
});

/** Every call that a round makes: Redis' own commands, and scripts. */
const CALLS = [
  ...['scan', 'hget', 'exists', 'info'],
  ...['holdSweep', 'sweepLogs', 'sweepInboxes', 'sweepBody', 'markGone', 'dropExpired', 'dropInbox', 'emptyCommands'],
];

test.each(['before', 'after'])(
  'a worker that dies %s any call of a round leaves nothing that the next round does not finish',
  async (when) => {
    const old = expired();
    const limits = { logRetention: 2, inboxKeep: 1 };
    const young = { ts: now() };
    const prepare = async () => {
      await redis.client.flushall();
      await storeBatch(redis.open(), 'b1', names(4), young);
      await storeBatch(redis.open(), 'b2', names(4), old);
      await store(upTo(12).map((id) => message(id, { ch: personal(`u${id % 4}`), ...(id % 3 === 0 ? old : young) })));
      await storeBatch(redis.open(), 'b3', ['u1'], { command: true, ...young });
      await storeBatch(redis.open(), 'b4', ['u1', 'u2'], { command: true, ...old });
      await storeBatch(redis.open(), 'b5', ['u1'], { command: true, ...young });
      await redis.client.set(keys.cursor(shard('u1'), 'u1'), 2);
    };
    await prepare();
    await sweepWith(redis, limits);
    await sweepWith(redis, limits);
    const finished = await picture(redis.client);

    let died = true;
    for (let last = 1; died; last++) {
      await prepare();
      let calls = 0;
      died = false;
      const dying = redis.open(
        limits,
        async (send) => {
          calls++;
          if (calls < last) return send();
          died = true;
          if (calls === last && when === 'after') await send();
          throw new Error('the worker is dead');
        },
        (command) => CALLS.includes(command),
      );
      await dying.sweeper.sweep('dying', signal).catch(() => {});
      await redis.client.del(keys.sweeper);
      await sweepWith(redis, limits);
      await sweepWith(redis, limits);
      expect(await picture(redis.client), `it died at call ${last}`).toEqual(finished);
      expect(last).toBeLessThan(200);
    }
  },
);

test('damaged keys stay as they are, and everything else is swept', async () => {
  await store(upTo(5).map((id) => message(id)));
  const log = keys.log(shard('2:broken'), '2:broken');
  await redis.client.set(log, 'no log');
  await redis.client.set(keys.inbox(shard('bob'), 'bob'), 'no inbox');
  await redis.client.rpush(keys.inbox(shard('eve'), 'eve'), 'a', '{');
  await redis.client.set(keys.inboxSeq(shard('eve'), 'eve'), 'no number');
  await redis.client.set(keys.body('b1'), 'no body');
  await redis.client.hset(keys.body('b2'), { m: '{', n: 3 });
  await redis.client.zadd(keys.log(shard('2:odd'), '2:odd'), 1, 'b1.0', 2, 'b2.0', 3, 'neither', 4, '[]', 5, '["x",1]');
  expect(await sweepWith(redis, { logRetention: 1, logMaxAge: 1 })).toMatchObject({ retention: 8 });
  expect(await redis.client.get(log)).toBe('no log');
  expect(await redis.client.exists(keys.inbox(shard('bob'), 'bob'), keys.body('b1'), keys.body('b2'))).toBe(3);
});

test('it removes even while Redis takes no writes', async () => {
  const old = expired();
  await store(upTo(300).map((id) => message(id)));
  await store([message(1000, { ch: personal('bob'), cmd: 1, ...old })]);
  await storeBatch(redis.open(), 'b1', names(50));
  await storeBatch(redis.open(), 'b2', names(50), old);
  await store(names(50).map((uid, i) => message(2000 + i, { ch: personal(uid) })));
  await redis.client.config('SET', 'maxmemory', '1mb');
  try {
    await expect(redis.client.set('x', 'y')).rejects.toThrow('OOM');
    expect(await sweepWith(redis, { logRetention: 1 })).toMatchObject({
      retention: 299 + 50 + 50,
      expired: 2,
      bodies: 1,
    });
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
  expect(await seqsOf('2:room')).toEqual([300]);
  expect(await redis.client.keys('r:{b*')).toEqual([]);
});
