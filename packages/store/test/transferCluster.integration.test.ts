import { connect, masterOf, type RedisClient } from '@ruyi/redis';
import { createStore, evenShards, exportEverything, keys, SCHEMA, type Store, shardsOfInstallation } from '@ruyi/store';
import { startCluster, type TestCluster } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { LIMITS, names } from './harness.ts';
import {
  contents,
  exported,
  from,
  imported,
  linesOf,
  optionsOf,
  redis,
  seedData,
  startServers,
  target,
} from './transferHarness.ts';

/** From one Redis into a Redis Cluster, and back. */

startServers();

let cluster: TestCluster;
let client: RedisClient;
beforeAll(async () => {
  cluster = await startCluster({ replicasPerMaster: 0 });
});
beforeEach(async () => {
  await cluster.flush();
  client = connect(cluster.url, 'background', 'cluster');
});
afterEach(() => client.disconnect());
afterAll(() => cluster.stop());

/** What readers get of everything that seedData stores. */
async function answersOf({ logs, inboxes, channels, users }: Store) {
  const range = { start: 1, end: 0, limit: 1000, pullMode: 1 } as const;
  const uids = names(30);
  const rooms = ['room0', 'room1', 'room2', 'room3', 'silent'].map((channel_id) => ({ channel_id, channel_type: 2 }));
  const talks = uids.map((login_uid) => ({ login_uid, channel_id: 'news', channel_type: 1 }));
  const answers: unknown[] = [];
  for (const name of [...rooms, ...talks]) answers.push(await logs.read(name, range), await logs.maxSeq(name));
  for (const uid of uids) answers.push(await inboxes.read(uid, 0, 100), (await channels.groupsOf(uid)).sort());
  for (const id of ['room0', 'room1', '组']) {
    const { subscribers } = await channels.subscribers(2, id, '', 1000);
    answers.push(await channels.info(2, id), subscribers.sort());
  }
  return [...answers, await users.unknown(uids)];
}

test('an export of one Redis gives the same keys and answers on a cluster, whose export gives them back', async () => {
  const source = await seedData();
  await imported(from(await exported()), { client });
  const before = await contents(redis.client);
  expect(await contents(client)).toEqual(before);
  const held = await Promise.all(cluster.nodes.map((node) => node.client.dbsize()));
  expect(Math.min(...held)).toBeGreaterThan(20);
  const shards = await shardsOfInstallation(client, { shards: 0 });
  expect(shards).toEqual(LIMITS.shards);
  const moved = createStore(client, { ...LIMITS, shards });
  expect(await answersOf(moved)).toEqual(await answersOf(source));

  const lines = await linesOf(exportEverything({ ...optionsOf(moved), redis: client }));
  await imported(from(lines));
  expect(await contents(target)).toEqual(before);
});

test('another number of shards on the cluster gives the same answers, and so does the way back', async () => {
  const many = evenShards(64);
  expect(many.tags.filter((tag) => /[a-z]/.test(tag)).length).toBeGreaterThan(10);
  const source = await seedData();
  const answers = await answersOf(source);
  // Of an installation that was emptied this may be left.
  for (const tag of many.tags) await client.set(keys.schema(tag), SCHEMA);
  await imported(from(await exported()), { client, shards: many.count });
  const moved = createStore(client, { ...LIMITS, shards: many });
  expect(await answersOf(moved)).toEqual(answers);
  await imported(from(await linesOf(exportEverything({ ...optionsOf(moved), redis: client }))));
  expect(await answersOf(createStore(target, LIMITS))).toEqual(answers);
});

test('data on any one master is found: the import is refused', async () => {
  await seedData();
  const lines = await exported();
  const places = await Promise.all(
    evenShards(64).tags.map(async (tag) => {
      const key = keys.seq(tag, '2:room');
      return { key, master: (await masterOf(client, key)).name };
    }),
  );
  const onEach = new Map(places.map(({ key, master }) => [master, key]));
  expect(onEach.size).toBe(3);
  for (const key of onEach.values()) {
    await cluster.flush();
    await client.set(key, '1');
    await expect(imported(from(lines), { client })).rejects.toThrow(`this Redis holds data already (${key})`);
  }
});
