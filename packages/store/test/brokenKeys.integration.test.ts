import { channelName } from '@ruyi/contracts';
import { encodeEntry, keys, shardOf } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { inboxOf, jobRun, LIMITS, logOf, message, names, picture, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();
const REFUSED_EARLIER = 'refused by Redis in an earlier run of the job';
const BROKEN = '2:broken';
const shard = (name: string) => shardOf(name, LIMITS.shards);

const WAYS = [
  ['the log is a string', () => redis.client.set(keys.log(shard(BROKEN), BROKEN), 'x'), /WRONGTYPE/],
  ['the seq is no number', () => redis.client.set(keys.seq(shard(BROKEN), BROKEN), 'x'), /not an integer/],
  ['the seq is a list', () => redis.client.rpush(keys.seq(shard(BROKEN), BROKEN), 'x'), /WRONGTYPE/],
  ['the seq is used up', () => redis.client.set(keys.seq(shard(BROKEN), BROKEN), '9223372036854775807'), /overflow/],
] as const;

const heal = () => redis.client.del(keys.log(shard(BROKEN), BROKEN), keys.seq(shard(BROKEN), BROKEN));
/** Messages to the broken log among others, some of them in its own shard. */
const items = Array.from({ length: 200 }, (_, i) => message(i + 1, { ch: i % 10 === 3 ? BROKEN : `2:room${i % 7}` }));

describe.each(WAYS)('where %s', (_, breakIt, reason) => {
  test('only its messages fail, with the reason, and the others are stored without a gap', async () => {
    await breakIt();
    const stored = await redis.open().appender('send.0').appendMessages(jobRun('j'), items);
    const bad = stored.filter(({ item }) => item.ch === BROKEN);
    expect(bad).toHaveLength(20);
    for (const { failure, seq } of bad) expect([failure, seq]).toEqual([expect.stringMatching(reason), 0]);
    for (const { item, failure, seq } of stored) {
      if (item.ch !== BROKEN) expect([failure, seq > 0]).toEqual([undefined, true]);
    }
    for (const ch of names(7, '2:room')) {
      const log = await logOf(redis.client, ch);
      expect(log.map(({ seq }) => seq)).toEqual(upTo(log.length));
      expect(log.map(({ entry }) => entry)).toEqual(items.filter((item) => item.ch === ch).map((i) => encodeEntry(i)));
    }
  });

  test('a second run remembers the failures, also when the key is healed meanwhile, and writes nothing', async () => {
    await breakIt();
    const first = await redis.open().appender('send.0').appendMessages(jobRun('j'), items);
    await heal();
    const before = await picture(redis.client);
    const second = await redis.open().appender('send.0').appendMessages(jobRun('j'), items);
    expect(await picture(redis.client)).toEqual(before);
    expect(second.map(({ seq }) => seq)).toEqual(first.map(({ seq }) => seq));
    expect(second.map(({ failure }) => failure)).toEqual(
      first.map(({ failure }) => (failure === undefined ? undefined : REFUSED_EARLIER)),
    );
  });

  test('healed, its messages get seqs from 1 in another job', async () => {
    await breakIt();
    const lane = redis.open().appender('send.0');
    await lane.appendMessages(jobRun('j'), items);
    await heal();
    const again = await lane.appendMessages(
      jobRun('retry'),
      items.filter(({ ch }) => ch === BROKEN),
    );
    expect(again.map(({ seq, failure }) => [seq, failure])).toEqual(upTo(20).map((seq) => [seq, undefined]));
  });
});

test('a seq is not lost to a message that its log refuses', async () => {
  const log = keys.log(shard(BROKEN), BROKEN);
  await redis.client.set(log, 'x');
  await redis.client.set(keys.seq(shard(BROKEN), BROKEN), '41');
  const lane = redis.open().appender('send.0');
  await lane.appendMessages(jobRun('a'), [message(1, { ch: BROKEN })]);
  await redis.client.del(log);
  const [stored] = await lane.appendMessages(jobRun('b'), [message(2, { ch: BROKEN })]);
  expect(stored?.seq).toBe(42);
});

test.each([
  ['logs', false],
  ['inboxes', true],
])('a recipient of a batch into %s whose key is broken fails alone, with the reason', async (_, command) => {
  const uids = names(300);
  const place = (uid: string) => (command ? uid : channelName(1, uid, 'ann'));
  const key = command ? keys.inbox(shard('u7'), 'u7') : keys.log(shard(place('u7')), place('u7'));
  await redis.client.hset(key, 'x', 'y');
  const seqKey = command ? keys.inboxSeq(shard('u8'), 'u8') : keys.seq(shard(place('u8')), place('u8'));
  await redis.client.set(seqKey, 'x');
  const run = () =>
    redis
      .open()
      .appender('fanout.0')
      .appendReferences(jobRun('j'), { ref: 'abc', from: 'ann', command }, recipients(uids, 'ann', command));

  const failures = await run();
  const reasons = new Map(failures.map(({ recipient, reason }) => [recipient.uid, reason]));
  expect([...reasons.keys()].sort()).toEqual(['u7', 'u8']);
  expect(reasons.get('u7')).toMatch(/WRONGTYPE/);
  expect(reasons.get('u8')).toMatch(/not an integer/);
  for (const uid of uids.filter((name) => !reasons.has(name))) {
    const kept = command ? (await inboxOf(redis.client, uid)).entries : await logOf(redis.client, place(uid));
    expect(kept).toHaveLength(1);
  }

  const before = await picture(redis.client);
  const again = await run();
  expect(again.map(({ recipient }) => recipient.uid).sort()).toEqual(['u7', 'u8']);
  expect(again.map(({ reason }) => reason)).toEqual([REFUSED_EARLIER, REFUSED_EARLIER]);
  expect(await picture(redis.client)).toEqual(before);
});

test('a command that one of two inboxes refuses names that inbox', async () => {
  await redis.client.set(keys.inbox(shard('bob'), 'bob'), 'x');
  const command = message(1, { ch: channelName(1, 'bob', 'ann'), cmd: 1 });
  const [stored] = await redis.open().appender('send.0').appendMessages(jobRun('j'), [command]);
  expect(stored?.failure).toMatch(/WRONGTYPE/);
  expect(stored?.failedInboxes).toEqual(['bob']);
  expect((await inboxOf(redis.client, 'ann')).entries).toHaveLength(1);
});

test('a call that no repetition heals costs the one message that it is about', async () => {
  const deadly = message(77);
  const store = redis.open({}, async (send, _, args) => {
    if (args.includes(encodeEntry(deadly))) throw new Error('Script attempted something');
    return send();
  });
  const messages = upTo(150).map((id) => (id === 77 ? deadly : message(id)));
  const stored = await store.appender('send.0').appendMessages(jobRun('j'), messages);
  expect(stored.filter(({ failure }) => failure !== undefined)).toEqual([
    { item: deadly, seq: 0, failure: 'Script attempted something' },
  ]);
  const log = await logOf(redis.client, '2:room');
  expect(log.map(({ entry }) => entry)).toEqual(messages.filter((m) => m !== deadly).map((m) => encodeEntry(m)));
  expect(log.map(({ seq }) => seq)).toEqual(upTo(149));
});

test('a repeated message whose log is broken by now harms no other', async () => {
  const store = redis.open();
  const idem = 'hash';
  const ts = message(1).ts;
  await store.appender('send.0').appendMessages(jobRun('a'), [message(1, { ch: BROKEN, idem, ts })]);
  await redis.client.set(keys.log(shard(BROKEN), BROKEN), 'x');
  const again = [message(1, { ch: BROKEN, idem, ts, payload: 'b3RoZXI=' }), message(2, { ch: BROKEN }), message(3)];
  const stored = await store.appender('send.0').appendMessages(jobRun('b'), again);
  expect(stored.map(({ failure }) => failure)).toEqual([undefined, expect.stringMatching(/WRONGTYPE/), undefined]);
  expect(stored[2]?.seq).toBe(1);
});
