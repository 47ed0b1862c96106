import { setImmediate } from 'node:timers/promises';
import { channelName, parseChannelName } from '@ruyi/contracts';
import { createStore, decimalShards, evenShards, exportChannel, exportEverything, keys, type Store } from '@ruyi/store';
import { intercepted, seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { base64, batch, inboxOf, jobRun, LIMITS, logOf, message, names, recipients } from './harness.ts';
import {
  contents,
  exported,
  from,
  imported,
  linesOf,
  optionsOf,
  redis,
  seedData,
  shard,
  startServers,
  target,
} from './transferHarness.ts';

startServers();
const SEVEN = evenShards(7);

test('with as many shards every key comes out as it was', async () => {
  await seedData();
  const lines = await exported();
  await imported(from(lines));
  const before = await contents(redis.client);
  expect(Object.keys(before).length).toBeGreaterThan(100);
  expect(await contents(target)).toEqual(before);
});

test('an installation with decimal tags comes out with even ones, its idempotency records too', async () => {
  const former = decimalShards(LIMITS.shards.count);
  await seedData(former);
  expect(await imported(from(await exported(former)))).toMatchObject({ leftOut: 0 });
  const tagOf = (decimal: string) => LIMITS.shards.tags[former.tags.indexOf(decimal)];
  const renamed = Object.entries(await contents(redis.client)).map(([key, content]) => [
    key.replace(/^r:\{(\d+)\}/, (_, decimal: string) => `r:{${tagOf(decimal)}}`),
    content,
  ]);
  expect(renamed.filter(([key]) => String(key).includes(':idem:')).length).toBeGreaterThan(50);
  expect(await contents(target)).toEqual(Object.fromEntries(renamed));
  expect(await target.hmget(keys.meta, 'shards', 'tags')).toEqual([String(former.count), 'even']);
});

test('an installation that was emptied but not flushed keeps its decimal tags', async () => {
  await seedData();
  await target.hset(keys.meta, { shards: LIMITS.shards.count, schema: 4 });
  await imported(from(await exported()));
  const former = decimalShards(LIMITS.shards.count);
  expect(await logOf(target, '2:room1', former)).toEqual(await logOf(redis.client, '2:room1'));
  expect((await logOf(target, '2:room1', former)).length).toBeGreaterThan(5);
});

test('with another number of shards every log, inbox and group does, and idempotency records are left out', async () => {
  await seedData();
  const { leftOut } = await imported(from(await exported()), { shards: 7 });
  expect(leftOut).toBeGreaterThan(50);
  const known = Object.keys(await contents(redis.client));
  const named = (kind: string) =>
    known.flatMap((key) => new RegExp(`^r:\\{[0-9a-z]+\\}:${kind}:(.*)$`, 's').exec(key)?.[1] ?? []);
  const [before, after] = [redis.open(), createStore(target, { ...LIMITS, shards: SEVEN })];
  for (const channel of new Set([...named('log'), ...named('seq')])) {
    const { channelType, channelId } = parseChannelName(channel);
    expect(await logOf(target, channel, SEVEN)).toEqual(await logOf(redis.client, channel));
    const [login_uid, channel_id = ''] = channelType === 1 ? channelId.split('@') : [undefined, channelId];
    const name = { login_uid, channel_id, channel_type: channelType };
    expect(await after.logs.maxSeq(name)).toBe(await before.logs.maxSeq(name));
  }
  for (const uid of new Set([...named('in'), ...named('inseq')])) {
    expect([uid, await inboxOf(target, uid, SEVEN)]).toEqual([uid, await inboxOf(redis.client, uid)]);
    expect((await after.channels.groupsOf(uid)).sort()).toEqual((await before.channels.groupsOf(uid)).sort());
    expect(await target.get(keys.cursor(shard(uid, SEVEN), uid))).toBe(
      await redis.client.get(keys.cursor(shard(uid), uid)),
    );
  }
  expect(await after.users.unknown(names(30))).toEqual(await before.users.unknown(names(30)));
});

test('calls that reach Redis in another order than they were made leave no inbox without its commands', async () => {
  const store = redis.open();
  const random = seededRandom();
  const commands = Array.from({ length: 400 }, (_, i) => message(i + 1, { ch: '1:ann@bob', cmd: 1 }));
  await store.appender('send.0').appendMessages(jobRun('job'), commands);
  const later = async (send: () => Promise<unknown>) => {
    for (let turns = random.whole(0, 50); turns > 0; turns--) await setImmediate();
    return send();
  };
  const client = intercepted(target, (command) => command === 'importInbox', later);
  await imported(from(await exported()), { client });
  expect((await inboxOf(redis.client, 'bob')).entries).toHaveLength(400);
  expect(await inboxOf(target, 'bob')).toEqual(await inboxOf(redis.client, 'bob'));
});

test('ids go on after those of the export, and the index is asked for', async () => {
  const store = await seedData();
  // As if the clock of the other machine had been ahead.
  await redis.client.set(keys.ids, String(2 ** 52));
  const last = await store.ids.block(10);
  await imported(from(await exported()));
  const after = createStore(target, LIMITS);
  expect(await after.ids.one()).toBeGreaterThanOrEqual(last + 10);
  expect(await after.rebuilds.requested()).toMatchObject({ reason: 'an export was imported', fresh: true });
});

test('the body of a broadcast is written once, however many recipients it has', async () => {
  const store = redis.open();
  const payload = base64('x'.repeat(256 * 1024));
  const broadcast = batch(1000, { payload });
  const to = names(2000);
  await store.bodies.write('rs', broadcast, to.length);
  await store
    .appender('fanout.0')
    .appendReferences(jobRun('job'), { ref: 'rs', from: 'ann', command: false }, recipients(to, 'ann', false));
  const size = (await exported()).reduce((sum, line) => sum + line.length, 0);
  expect(size).toBeLessThan(payload.length + 2000 * 150);
});

test('one channel: messages as they are read, a copy of a broadcast among them, its last seq and its subscribers', async () => {
  const store = await seedData();
  const group = { channel_id: 'room0', channel_type: 2 };
  const personal = { channel_id: 'u3', channel_type: 1, login_uid: 'news' };
  const all = { start: 1, end: 0, limit: 1000, pullMode: 1 } as const;
  for (const name of [group, personal]) {
    const lines = await linesOf(exportChannel(optionsOf(store), name));
    await target.flushdb();
    await imported(from(lines), { shards: 7 });
    const after = createStore(target, { ...LIMITS, shards: SEVEN });
    const before = await store.logs.read(name, all);
    expect(before.messages.length).toBeGreaterThan(5);
    expect(await after.logs.read(name, all)).toEqual(before);
    expect(await after.logs.maxSeq(name)).toBe(await store.logs.maxSeq(name));
    expect(await after.channels.info(name.channel_type, name.channel_id)).toEqual(
      await store.channels.info(name.channel_type, name.channel_id),
    );
    const members = async ({ channels }: Store) =>
      (await channels.subscribers(2, 'room0', '', 1000)).subscribers.sort();
    expect(await members(after)).toEqual(name === group ? await members(store) : []);
  }
});

test('what is damaged is named and left out, the rest is exported', async () => {
  const store = await seedData();
  await redis.client.set(keys.log(shard('2:bad'), '2:bad'), 'no log');
  await redis.client.zadd(
    keys.log(shard('2:half'), '2:half'),
    0,
    '10.1',
    1,
    'garbage',
    2,
    JSON.stringify([7, 1, 'ann', 'no', 'cGF5']),
  );
  const command = (id: number) => JSON.stringify([id, 1, 'ann', 'no', 'cGF5']);
  await redis.client.rpush(keys.inbox(shard('bob'), 'bob'), command(8), 'garbage', command(9));
  await redis.client.set(keys.channel(shard('2:odd'), '2:odd'), 'no hash');
  const damaged: string[] = [];
  const lines = await linesOf(exportEverything(optionsOf(store, (what) => void damaged.push(what))));
  expect(damaged.sort()).toEqual([
    'channel 2:bad',
    'channel 2:half',
    'entry of channel 2:half',
    `key ${keys.channel(shard('2:odd'), '2:odd')}`,
    'user bob',
  ]);
  expect(await imported(from(lines))).toMatchObject({ unreadable: 5 });
  expect((await logOf(target, '2:half')).map(({ seq }) => seq)).toEqual([2]);
  const after = createStore(target, LIMITS);
  expect(await after.logs.maxSeq({ channel_id: 'half', channel_type: 2 })).toBe(2);
  expect(
    (await after.inboxes.read('bob', 0, 10)).map(({ message_id, message_seq }) => [message_id, message_seq]),
  ).toEqual([
    [8, 1],
    [9, 3],
  ]);
});

test('an export beside traffic: every log and inbox in it is a stretch without gaps or repeats', async () => {
  const store = await seedData();
  const isOver = new AbortController();
  const traffic = (async () => {
    const lane = store.appender('send.1');
    for (let id = 1000; !isOver.signal.aborted; id++) {
      const ch = id % 2 === 0 ? '2:busy' : channelName(1, 'ann', 'busy');
      await lane.appendMessages(jobRun(`busy-${id}`), [message(id, { ch, ...(id % 2 === 0 ? {} : { cmd: 1 }) })]);
      if (id % 50 === 0) await store.inboxes.acknowledge('busy', id);
    }
  })();
  for (let round = 0; round < 5; round++) {
    await target.flushdb();
    await imported(from(await exported()));
    const seqs = (await logOf(target, '2:busy')).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
    const { entries, newest } = await inboxOf(target, 'busy');
    const source = await inboxOf(redis.client, 'busy');
    expect(newest).toBeLessThanOrEqual(source.newest);
    expect(Number((await target.get(keys.cursor(shard('busy'), 'busy'))) ?? 0)).toBeLessThanOrEqual(newest);
    expect(new Set(entries).size).toBe(entries.length);
  }
  isOver.abort();
  await traffic;
});
