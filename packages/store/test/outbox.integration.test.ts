import { channelName } from '@ruyi/contracts';
import { chunkReference, keys, markText, parseReference, shardOf } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { base64, jobRun, LIMITS, logOf, message, referencesIn, testStores, upTo } from './harness.ts';
import { OUTBOX, ROOM, SHARD, testOutbox } from './outboxHarness.ts';

const redis = testStores();
const { store, seqs } = testOutbox(redis);

describe('what is stored waits to be indexed', () => {
  test('each message of a log once, by its channel and seq, whatever the channel is called; commands do not', async () => {
    const channels = ['2:room', '2:a b m 1 2', '2:{x}:log:y', '3:群 聊', channelName(1, 'bob', 'ann')];
    const items = channels.flatMap((ch, i) => upTo(3).map((n) => message(10 * i + n, { ch })));
    const commands = upTo(3).map((n) => message(900 + n, { ch: channelName(1, 'bob', 'ann'), cmd: 1 }));
    await redis
      .open()
      .appender('send.0')
      .appendMessages(jobRun('job'), [...items, ...commands]);
    const found = (await referencesIn(redis.client)).map((text) => parseReference(`0 ${text}`));
    const expected = channels.flatMap((channel) => upTo(3).map((seq) => ({ kind: 'message', at: 0, channel, seq })));
    const sorted = (list: unknown[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(sorted(found)).toEqual(sorted(expected));
  });

  test('a message that could not be stored, or was stored before, does not', async () => {
    await redis.client.set(keys.log(shardOf('2:broken', LIMITS.shards), '2:broken'), 'no log');
    const again = message(1, { idem: 'h', digest: 'd' });
    const lane = redis.open().appender('send.0');
    await lane.appendMessages(jobRun('a'), [again, message(2, { ch: '2:broken' })]);
    await lane.appendMessages(jobRun('b'), [again, message(3)]);
    expect(await seqs()).toEqual([1, 2]);
    expect(await referencesIn(redis.client)).toHaveLength(2);
  });

  test('also if its log was trimmed since', async () => {
    await store(redis.open({ logRetention: 2 }), upTo(5));
    expect((await logOf(redis.client, ROOM)).map(({ seq }) => seq)).toEqual([4, 5]);
    expect(await seqs()).toEqual([1, 2, 3, 4, 5]);
  });

  test('somebody is told to wake the indexer if the outbox was empty, and only then', async () => {
    const own = redis.open();
    expect([...(await store(own, [1])).woken.keys()]).toEqual([SHARD]);
    expect((await store(own, [2])).woken.size).toBe(0);
    const page = await own.outboxes.read(SHARD);
    expect(page && (await own.outboxes.trim(page))).toBe(0);
    expect([...(await store(own, [3])).woken.keys()]).toEqual([SHARD]);
  });

  test('and is told what stands there now, if it is little', async () => {
    const own = redis.open();
    const appender = own.appender('send.0');
    const again = message(1, { idem: 'h', digest: 'd' });
    await appender.appendMessages(jobRun('before'), [again]);
    appender.takeHandedOver();
    await redis.client.del(OUTBOX);
    const others = upTo(12).map((i) => message(10 + i, { payload: base64('é'.repeat(i)) }));
    const command = message(30, { ch: channelName(1, 'bob', 'ann'), cmd: 1 });
    await appender.appendMessages({ ...jobRun('job'), trace: 'its-trace' }, [again, ...others, command]);
    const { woken } = appender.takeHandedOver();
    expect(woken.get(SHARD)).toEqual(await redis.client.lrange(OUTBOX, 0, -1));
    expect(woken.get(SHARD)).toHaveLength(12);
    await redis.client.del(OUTBOX);
    await appender.appendMessages(
      jobRun('more'),
      upTo(17).map((i) => message(40 + i)),
    );
    expect(appender.takeHandedOver().woken.get(SHARD)).toEqual([]);
  });

  test('a reference takes a few dozen bytes, whatever its message holds', async () => {
    const own = redis.open();
    for (const n of upTo(40))
      await store(
        own,
        upTo(50).map((i) => 100 * n + i),
        { payload: 'x'.repeat(10_240) },
      );
    const { references, recipients } = await own.outboxes.reading();
    expect([references, recipients]).toEqual([2000, 2000]);
    expect(Number(await redis.client.memory('USAGE', OUTBOX, 'SAMPLES', 0))).toBeLessThan(60 * references);
  });

  test('recipients of chunks are counted exactly, and when the oldest was stored', async () => {
    const { outboxes } = redis.open();
    const chunk = (n: number) => ({ chunk: n, start: 0, uids: 'u1\nu2\nu3' });
    const keep = { mark: markText(0, 'unused'), isFull: false };
    for (const n of upTo(4))
      await outboxes.push(SHARD, [chunkReference({ at: 1000 + n }, 3, { ref: 'abc', chunks: [chunk(n)] })], 2, keep);
    await store(redis.open(), upTo(5));
    expect(await outboxes.reading()).toEqual({ references: 9, recipients: 17, oldestAt: 1001 });
    // A page ends where the documents of its chunks become large.
    const page = await outboxes.read(SHARD);
    expect(page?.references).toHaveLength(3);
    expect(page && (await outboxes.trim(page))).toBe(6);
    expect(await outboxes.recipients()).toBe(8);
    for (let next = await outboxes.read(SHARD); next; next = await outboxes.read(SHARD)) await outboxes.trim(next);
    expect(await outboxes.reading()).toEqual({ references: 0, recipients: 0, oldestAt: undefined });
  });
});

describe('an outbox that keeps no more references', () => {
  test('is marked in the step that stores, and each call replaces the mark', async () => {
    const own = redis.open();
    await store(own, [1, 2]);
    const first = await store(own, [3], { isFull: true });
    const second = await store(
      own,
      upTo(10).map((i) => 10 + i),
      { isFull: true },
    );
    expect(await seqs()).toEqual([1, 2, 'mark']);
    const mark = (await redis.client.lrange(OUTBOX, -1, -1))[0];
    expect([...first.missed.values(), ...second.missed.values()]).toEqual([
      expect.not.stringMatching(mark ?? ''),
      mark,
    ]);
    expect((await logOf(redis.client, ROOM)).map(({ seq }) => seq)).toEqual(upTo(13));
    expect(await own.outboxes.recipients()).toBe(3);
  });

  test('whoever has requested the rebuild takes away its own mark, and no other one', async () => {
    const own = redis.open();
    const [first = ''] = (await store(own, [1], { isFull: true })).missed.values();
    const [second = ''] = (await store(own, [2], { isFull: true })).missed.values();
    await own.outboxes.takeMark(SHARD, first);
    expect(await seqs()).toEqual(['mark']);
    await own.outboxes.takeMark(SHARD, second);
    expect(await seqs()).toEqual([]);
    const [third = ''] = (await store(own, [3], { isFull: true })).missed.values();
    await store(own, [4]);
    await own.outboxes.takeMark(SHARD, third);
    expect(await seqs()).toEqual(['mark', 4]);
  });

  test('a mark that was replaced since it was read is not trimmed: what it stands for came later', async () => {
    const own = redis.open();
    await store(own, [1]);
    await store(own, [2], { isFull: true });
    const page = await own.outboxes.read(SHARD);
    await store(own, [3], { isFull: true });
    expect(page && (await own.outboxes.trim(page))).toBeUndefined();
    expect(await seqs()).toEqual([1, 'mark']);
    const again = await own.outboxes.read(SHARD);
    expect(again && (await own.outboxes.trim(again))).toBe(0);
  });
});

test('an outbox that is no list is marked, and its messages are stored', async () => {
  const own = redis.open();
  await redis.client.set(OUTBOX, 'no outbox');
  expect(await own.outboxes.waitingShards()).toEqual([LIMITS.shards.tags.indexOf(SHARD)]);
  const { missed } = await store(own, [1]);
  expect([...missed.keys()]).toEqual([SHARD]);
  expect(await seqs()).toEqual(['mark']);
  await redis.client.set(OUTBOX, 'no outbox');
  await redis.client.set(keys.outboxCounts(SHARD), 'no counts');
  const page = await own.outboxes.read(SHARD);
  expect(page?.references).toEqual([expect.objectContaining({ kind: 'mark' })]);
  expect(page && (await own.outboxes.trim(page))).toBe(0);
  await store(own, [2]);
  expect(await seqs()).toEqual([2]);
});

const sentBytes = async (client: typeof redis.client): Promise<number> =>
  Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);

test('counts that are no numbers keep nothing from being trimmed', async () => {
  const own = redis.open();
  await store(own, [1]);
  await redis.client.hset(keys.outboxCounts(SHARD), { trimmed: 'many', more: 'x' });
  const chunk = chunkReference({ at: 1 }, 2, { ref: 'abc', chunks: [{ chunk: 0, start: 0, uids: 'u1\nu2' }] });
  await own.outboxes.push(SHARD, [chunk], 1, { mark: 'unused', isFull: false });
  await store(own, [2]);
  const page = await own.outboxes.read(SHARD);
  await redis.client.hset(keys.outboxCounts(SHARD), { more: 'x' });
  await store(own, [3]);
  expect(page && (await own.outboxes.trim(page))).toBe(1);
  expect(await seqs()).toEqual([3]);
});

test('references go although Redis is full', async () => {
  const own = redis.open();
  await store(own, upTo(3));
  const page = await own.outboxes.read(SHARD);
  await redis.client.config('SET', 'maxmemory', '1');
  try {
    expect(page && (await own.outboxes.trim(page))).toBe(0);
    await own.outboxes.takeMark(SHARD, 'none');
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
});

test('whoever looks at an outbox is told little, however long its references are', async () => {
  const own = redis.open();
  const uids = Array.from({ length: 2000 }, (_, i) => `user-${i}`).join('\n');
  const reference = chunkReference({ at: 5, trace: '00-4bf9-00f0-01' }, 2000, {
    ref: 'abc',
    chunks: [{ chunk: 0, start: 0, uids }],
  });
  await own.outboxes.push(SHARD, [reference], 1999, { mark: 'unused', isFull: false });
  const before = await sentBytes(redis.client);
  expect(await own.outboxes.reading()).toEqual({ references: 1, recipients: 2000, oldestAt: 5 });
  expect((await sentBytes(redis.client)) - before).toBeLessThan(5000);
});

test('a reference tells the trace of its message, if it has one', async () => {
  const own = redis.open();
  const run = { ...jobRun('job'), trace: '00-4bf9-00f0-01' };
  await own.appender('send.0').appendMessages(run, [message(1)]);
  await store(own, [2]);
  const page = await own.outboxes.read(SHARD);
  expect(page?.references).toMatchObject([{ seq: 1, trace: run.trace }, { seq: 2 }]);
  expect(page?.references[1]).not.toHaveProperty('trace');
  expect((await own.outboxes.reading()).oldestAt).toBeGreaterThan(0);
});

test.each(['', 'x', 'm 1 2 2:room', '1 m x 2 2:room', '1 b 2 {', '1 b 2 {"ref":1}', '1 q 2'])(
  'a reference that reads %j is unreadable',
  (text) => {
    expect(parseReference(text)).toEqual({ kind: 'unreadable' });
  },
);
