import { channelName, type SendItem } from '@ruyi/contracts';
import { mastersOf } from '@ruyi/redis';
import { decodeEntry, keys, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { base64, inboxOf, jobRun, LIMITS, logOf, message, names, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();

test('two lanes that write into the same logs at once leave seqs 1..n in each, every message once, in order', async () => {
  const random = seededRandom();
  const store = redis.open();
  const users = names(40);
  const channel = (uid: string) => channelName(1, uid, 'ann');
  const sent = new Map<string, number[]>(users.map((uid) => [uid, []]));

  const singles = async () => {
    const lane = store.appender('send.0');
    for (let job = 0; job < 15; job++) {
      const items: SendItem[] = Array.from({ length: random.whole(1, 200) }, (_, i) => {
        const uid = random.pick(['u0', ...users]);
        sent.get(uid)?.push(job * 1000 + i + 1);
        return message(job * 1000 + i + 1, { ch: channel(uid) });
      });
      await lane.appendMessages(jobRun(`single-${job}`), items);
    }
  };
  const batches = async () => {
    const lane = store.appender('fanout.0');
    for (let job = 0; job < 15; job++) {
      const to = recipients(users, 'ann', false);
      const call = { ref: `batch${job}`, from: 'ann', command: false };
      expect(await lane.appendReferences(jobRun(`batch-${job}`), call, to)).toEqual([]);
    }
  };
  await Promise.all([singles(), batches()]);

  for (const uid of users) {
    const log = await logOf(redis.client, channel(uid));
    expect(log.map(({ seq }) => seq)).toEqual(upTo(log.length));
    const entries = log.map(({ entry }) => decodeEntry(entry));
    const ids = entries.flatMap((entry) => (entry.kind === 'inline' ? [entry.body.id] : []));
    const refs = entries.flatMap((entry) => (entry.kind === 'reference' ? [entry.ref] : []));
    expect(ids).toEqual(sent.get(uid));
    expect(refs).toEqual(Array.from({ length: 15 }, (_, job) => `batch${job}`));
    expect(await redis.client.get(keys.seq(shardOf(channel(uid), LIMITS.shards), channel(uid)))).toBe(
      String(log.length),
    );
  }
});

test('answers the seq of every message, in the order of the job', async () => {
  const lane = redis.open().appender('send.0');
  const items = Array.from({ length: 300 }, (_, i) => message(i + 1, { ch: `2:room${i % 3}` }));
  const stored = await lane.appendMessages(jobRun('j'), items);
  expect(stored.map(({ item }) => item)).toEqual(items);
  expect(stored.map(({ seq }) => seq)).toEqual(items.map((_, i) => Math.floor(i / 3) + 1));
});

test('messages to one channel keep their order over jobs', async () => {
  const store = redis.open();
  const lane = store.appender('send.0');
  for (let job = 0; job < 5; job++) {
    await lane.appendMessages(jobRun(`j${job}`), [message(job * 2 + 1), message(job * 2 + 2)]);
  }
  const range = { start: 0, end: 0, limit: 100, pullMode: 0 as const };
  const { messages } = await store.logs.read({ channel_id: 'room', channel_type: 2 }, range);
  expect(messages.map((m) => [m.message_id, m.message_seq])).toEqual(upTo(10).map((n) => [n, n]));
});

test('a message is read back as it was sent', async () => {
  const store = redis.open();
  const body = { payload: base64('\u0000\xff 你好'), red: 1, set: 7, exp: 600, topic: '話題', stream: 's-1' };
  const [stored] = await store.appender('send.0').appendMessages(jobRun('j'), [message(2 ** 52 + 1, body)]);
  const range = { start: 0, end: 0, limit: 1, pullMode: 0 as const };
  const { messages } = await store.logs.read({ channel_id: 'room', channel_type: 2 }, range);
  expect(messages).toEqual([
    {
      header: { no_persist: 0, red_dot: 1, sync_once: 0 },
      setting: 7,
      message_id: 2 ** 52 + 1,
      message_idstr: '4503599627370497',
      client_msg_no: `no-${2 ** 52 + 1}`,
      message_seq: 1,
      from_uid: 'ann',
      channel_id: 'room',
      channel_type: 2,
      topic: '話題',
      expire: 600,
      timestamp: stored?.item.ts,
      payload: body.payload,
      stream_no: 's-1',
    },
  ]);
});

test('a personal command reaches both inboxes and each of them shows the peer', async () => {
  const store = redis.open();
  const item = message(1, { ch: channelName(1, 'bob', 'ann'), cmd: 1 });
  await store.appender('send.0').appendMessages(jobRun('j'), [item]);
  const [toBob] = await store.inboxes.read('bob', 0, 10);
  const [toAnn] = await store.inboxes.read('ann', 0, 10);
  expect(toBob).toMatchObject({ channel_id: 'ann', channel_type: 1, message_seq: 1, header: { sync_once: 1 } });
  expect(toAnn).toMatchObject({ channel_id: 'bob', channel_type: 1, message_seq: 1 });
});

test.each([
  { from: 'ann', to: 'ann', reached: { ann: 1, ____system: 0 } },
  { from: '____system', to: 'bob', reached: { bob: 1, ____system: 0 } },
  { from: 'ann', to: '____system', reached: { ann: 1, ____system: 0 } },
  { from: '____system', to: '____system', reached: { ____system: 0 } },
])('a command from $from to $to is in $reached', async ({ from, to, reached }) => {
  const item = message(1, { from, ch: channelName(1, to, from), cmd: 1 });
  await redis.open().appender('send.0').appendMessages(jobRun('j'), [item]);
  for (const [uid, count] of Object.entries(reached)) {
    expect((await inboxOf(redis.client, uid)).entries).toHaveLength(count);
  }
});

test('recipients whose positions have gaps keep their own', async () => {
  const lane = redis.open().appender('fanout.0');
  const to = names(30).map((uid, i) => ({ uid, position: i * 7 }));
  expect(await lane.appendReferences(jobRun('j'), { ref: 'abc', from: 'ann', command: false }, to)).toEqual([]);
  for (const { uid, position } of to) {
    expect(await logOf(redis.client, channelName(1, uid, 'ann'))).toEqual([{ seq: 1, entry: `abc.${position}` }]);
  }
});

test('a script call takes at most 64 messages or recipients: everybody else waits about one call', async () => {
  const lane = redis.open().appender('send.0');
  const calls = async () => {
    const infos = await Promise.all((await mastersOf(redis.client)).map((master) => master.redis.info('commandstats')));
    const stats = infos.flatMap((info) => [...info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)]);
    return stats.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const least = Math.ceil(1000 / 64);
  await lane.appendMessages(jobRun('first'), [message(1)]);

  let before = await calls();
  await lane.appendMessages(
    jobRun('messages'),
    upTo(1000).map((id) => message(id + 1)),
  );
  expect((await calls()) - before).toBeGreaterThanOrEqual(least);

  before = await calls();
  const toAll = names(1000).map((uid, position) => ({ uid, position }));
  await lane.appendReferences(jobRun('batch'), { ref: 'x', from: 'ann', command: true }, toAll);
  expect((await calls()) - before).toBeGreaterThanOrEqual(least);
});
