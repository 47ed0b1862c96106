import { evenShards, keys, type Store, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { LIMITS, names, testStores } from './harness.ts';

const redis = testStores();

/** All pages, one after the other; `between` runs after each. */
async function pages(store: Store, limit: number, between: (page: number) => Promise<void> = async () => {}) {
  const found: string[][] = [];
  for (let cursor = '0-'; cursor !== ''; ) {
    const page = await store.channels.subscribers(2, 'room', cursor, limit);
    found.push(page.subscribers);
    expect(page.cursor).toMatch(/^(\d{1,4}-.+)?$/);
    cursor = page.cursor;
    await between(found.length);
  }
  return found;
}

const everyone = async (store: Store) => (await pages(store, 10_000)).flat().sort();

/** Both sides of a subscription agree: the channel's sets and each user's groups. */
async function expectConsistent(uids: string[], channel = '2:room') {
  for (const uid of uids) {
    const shard = shardOf(uid, LIMITS.shards);
    const [here, there] = [
      Number((await redis.client.zscore(keys.subscribers(shard, channel), uid)) !== null),
      await redis.client.sismember(keys.groups(shard, uid), channel),
    ];
    expect(here, uid).toBe(there);
  }
}

test('adding, removing and replacing keep both sides of a subscription', async () => {
  const random = seededRandom();
  const store = redis.open();
  const users = names(60);
  let model = new Set<string>();
  for (let round = 0; round < 30; round++) {
    const some = users.filter(() => random.next() < 0.3);
    const change = random.pick(['add', 'remove', 'replace']);
    if (change === 'add') {
      await store.channels.addSubscribers(2, 'room', some);
      model = new Set([...model, ...some]);
    } else if (change === 'remove') {
      await store.channels.removeSubscribers(2, 'room', some);
      model = new Set([...model].filter((uid) => !some.includes(uid)));
    } else {
      await store.channels.replaceSubscribers(2, 'room', some);
      model = new Set(some);
    }
    expect(await everyone(store)).toEqual([...model].sort());
  }
  await expectConsistent(users);
});

test('a user lists the groups that it is in', async () => {
  const { channels } = redis.open();
  await channels.addSubscribers(2, 'room', ['bob', 'bob', 'ann']);
  await channels.addSubscribers(5, 'a:b', ['bob']);
  expect((await channels.groupsOf('bob')).sort()).toEqual(['2:room', '5:a:b']);
  await channels.delete(2, 'room');
  expect(await channels.groupsOf('bob')).toEqual(['5:a:b']);
  expect(await channels.groupsOf('ann')).toEqual([]);
});

test('more subscribers than one call takes are all added and removed', async () => {
  const store = redis.open({ shards: evenShards(1) });
  const users = names(1234);
  await store.channels.addSubscribers(2, 'room', users);
  expect(await everyone(store)).toEqual([...users].sort());
  await store.channels.removeSubscribers(2, 'room', users.slice(1));
  expect(await everyone(store)).toEqual(['u0']);
});

// Redis keeps small sets in another order than large ones, and sets of numbers in yet another.
test.each([
  [5, 'u'],
  [400, 'u'],
  [1500, 'u'],
  [3000, 'u'],
  [1500, ''],
])('pages of %i subscribers (%s…) are full, and name everyone once', async (count, prefix) => {
  const store = redis.open();
  const users = names(count, prefix);
  await store.channels.addSubscribers(2, 'room', users);
  for (const limit of [1000, 128, 7]) {
    const found = await pages(store, limit);
    expect(found.flat().sort()).toEqual([...users].sort());
    expect(found.slice(0, -1).map((page) => page.length)).toEqual(found.slice(0, -1).map(() => limit));
  }
});

test('whoever comes or goes between two pages, those who stay are named exactly once', async () => {
  const random = seededRandom();
  const store = redis.open({ shards: evenShards(2) });
  const staying = names(240);
  let passing = names(100, 'p');
  await store.channels.addSubscribers(2, 'room', [...staying, ...passing]);
  const found = await pages(store, 20, async (page) => {
    const gone = passing.filter(() => random.next() < 0.3);
    passing = passing.filter((uid) => !gone.includes(uid));
    await store.channels.removeSubscribers(2, 'room', gone);
    await store.channels.addSubscribers(2, 'room', names(20, `new${page}-`));
    if (page > 12) await store.channels.removeSubscribers(2, 'room', passing);
  });
  const stayed = found.flat().filter((uid) => uid.startsWith('u'));
  expect(stayed.sort()).toEqual([...staying].sort());
});

test('a channel without subscribers has one empty page', async () => {
  expect(await pages(redis.open(), 10)).toEqual([[]]);
});

test('frozen subscribers stay the same whatever happens to the channel, until they are unfrozen', async () => {
  const { channels } = redis.open();
  const users = names(50);
  await channels.addSubscribers(2, 'room', users);
  const counts = await channels.freeze('2:room', 'ref', 100);
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(50);
  await channels.replaceSubscribers(2, 'room', ['someone', 'else']);

  const replay = redis.open().channels;
  expect(await replay.freeze('2:room', 'ref', 100)).toEqual(counts);
  const frozen = await Promise.all(counts.map(({ shard, count }) => replay.frozen(shard, 'ref', count)));
  expect(frozen.flat().sort()).toEqual([...users].sort());
  expect(await redis.client.ttl(keys.frozen(LIMITS.shards.tags[0] ?? '', 'ref'))).toBeGreaterThan(0);
  await replay.unfreeze('ref');
  expect(await redis.client.keys('*frozen*')).toEqual([]);
});

test('a channel that had no subscribers stays empty for a replay', async () => {
  const { channels } = redis.open();
  const none = LIMITS.shards.tags.map((shard) => ({ shard, count: 0 }));
  expect(await channels.freeze('2:room', 'ref', 100)).toEqual(none);
  await channels.addSubscribers(2, 'room', ['late']);
  expect(await channels.freeze('2:room', 'ref', 100)).toEqual(none);
});

test('info is created, replaced, kept by ensure, and gone with the channel', async () => {
  const { channels } = redis.open();
  const none = { large: 0, ban: 0, disband: 0, send_ban: 0, allow_stranger: 0 };
  expect(await channels.info(2, 'room')).toEqual(none);
  await channels.putInfo(2, 'room', { ...none, ban: 1, large: 1 });
  await channels.ensure(2, 'room');
  expect(await channels.info(2, 'room')).toEqual({ ...none, ban: 1, large: 1 });
  await channels.delete(2, 'room');
  expect(await channels.info(2, 'room')).toEqual(none);
  expect(await redis.client.keys('*')).toEqual([]);
});

test('users are unknown until they are registered', async () => {
  const { users } = redis.open();
  const uids = names(1200);
  for (const uid of uids.slice(0, 3)) await users.register({ uid, tokenHash: 'h', deviceFlag: 1, deviceLevel: 0 });
  expect([...(await users.unknown(uids))].sort()).toEqual(uids.slice(3).sort());
});
