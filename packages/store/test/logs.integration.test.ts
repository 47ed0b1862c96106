import { channelName, type SendItem } from '@ruyi/contracts';
import { type LogRange, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { batch, jobRun, LIMITS, message, now, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();
const ROOM = { channel_id: 'room', channel_type: 2 };
const seqs = (messages: { message_seq: number }[]) => messages.map((m) => m.message_seq);
const fill = async (items: SendItem[]) => {
  const store = redis.open();
  await store.appender('send.0').appendMessages(jobRun('fill'), items);
  return store;
};

test.each([
  ['向上拉 100-200', { start: 100, end: 200, pullMode: 1 }, [100, 109], 1],
  ['向上拉 100-105', { start: 100, end: 105, pullMode: 1 }, [100, 104], 0],
  ['向下拉 100-50', { start: 100, end: 50, pullMode: 0 }, [91, 100], 1],
  ['向下拉 100-95', { start: 100, end: 95, pullMode: 0 }, [96, 100], 0],
  ['both 0, upwards', { start: 0, end: 0, pullMode: 1 }, [291, 300], 1],
  ['both 0, downwards', { start: 0, end: 0, pullMode: 0 }, [291, 300], 1],
  ['upwards from 0 to 5', { start: 0, end: 5, pullMode: 1 }, [1, 4], 0],
  ['downwards from the newest to 295', { start: 0, end: 295, pullMode: 0 }, [296, 300], 0],
  ['upwards to the newest', { start: 291, end: 0, pullMode: 1 }, [291, 300], 0],
  ['downwards to the oldest', { start: 10, end: 0, pullMode: 0 }, [1, 10], 0],
] as const)('%s of 300 messages, limit 10', async (_, range, [from, to], more) => {
  const store = await fill(upTo(300).map((id) => message(id)));
  const answer = await store.logs.read(ROOM, { ...range, limit: 10 });
  expect(seqs(answer.messages)).toEqual(upTo(to).slice(from - 1));
  expect(answer.more).toBe(more);
});

/** The table of the contract, word by word. */
function expected(readable: number[], { start, end, limit, pullMode }: LogRange) {
  if (start === 0 && end === 0) {
    return { seqs: readable.slice(-limit), more: readable.length > limit };
  }
  if (pullMode === 1) {
    const within = readable.filter((seq) => seq >= start && (end === 0 || seq < end));
    return { seqs: within.slice(0, limit), more: within.length > limit };
  }
  const within = readable.filter((seq) => (start === 0 || seq <= start) && (end === 0 || seq > end));
  return { seqs: within.slice(-limit), more: within.length > limit };
}

test('every range in either mode is answered as the contract says, expired and trimmed messages left out', async () => {
  const random = seededRandom();
  const expired = new Set(upTo(300).filter((seq) => random.next() < 0.3 || (seq > 100 && seq < 240 && seq !== 170)));
  const old = { ts: now() - 1000, exp: 500 };
  const store = await fill(upTo(300).map((id) => message(id, expired.has(id) ? old : {})));
  await redis.client.zremrangebyrank(`r:{${shardOf('2:room', LIMITS.shards)}}:log:2:room`, 0, 19);
  const readable = upTo(300).filter((seq) => seq > 20 && !expired.has(seq));
  const points = [0, 1, 20, 21, 50, 100, 101, 170, 239, 299, 300, 301, 2 ** 32 - 1];
  for (const start of points) {
    for (const end of points) {
      for (const limit of [1, 10, readable.length - 1, readable.length, 1000]) {
        for (const pullMode of [0, 1] as const) {
          const range = { start, end, limit, pullMode };
          const answer = await store.logs.read(ROOM, range);
          const wanted = expected(readable, range);
          expect({ ...range, seqs: seqs(answer.messages), more: answer.more === 1 }).toEqual({ ...range, ...wanted });
        }
      }
    }
  }
});

test('a message is readable until its second of expiry', async () => {
  const store = await fill([
    message(1, { ts: now() - 100, exp: 100 }),
    message(2, { ts: now() - 100, exp: 160 }),
    message(3),
  ]);
  const range = { start: 0, end: 0, limit: 10, pullMode: 0 as const };
  expect(seqs((await store.logs.read(ROOM, range)).messages)).toEqual([2, 3]);
});

test('an unknown channel is empty', async () => {
  const { logs } = redis.open();
  const range = { start: 0, end: 0, limit: 10, pullMode: 0 as const };
  expect(await logs.read(ROOM, range)).toEqual({ more: 0, messages: [] });
  expect(await logs.maxSeq(ROOM)).toBe(0);
});

test('the newest seq counts expired and trimmed messages', async () => {
  const store = redis.open({ logRetention: 1 });
  await store.appender('send.0').appendMessages(jobRun('a'), [message(1), message(2, { ts: 1, exp: 1 })]);
  expect(await store.logs.maxSeq(ROOM)).toBe(2);
});

describe('an answer of large messages', () => {
  const payload = 'A'.repeat(1024 * 1024);
  const open = async () => {
    const store = redis.open();
    for (const id of upTo(20)) {
      await store.appender('send.0').appendMessages(jobRun(`j${id}`), [message(id, { payload })]);
    }
    return store;
  };

  test('ends early after 16 MiB of payload and says that there is more', async () => {
    const { logs } = await open();
    const up = await logs.read(ROOM, { start: 1, end: 0, limit: 100, pullMode: 1 });
    expect([seqs(up.messages), up.more]).toEqual([upTo(16), 1]);
    const down = await logs.read(ROOM, { start: 0, end: 0, limit: 100, pullMode: 0 });
    expect([seqs(down.messages), down.more]).toEqual([upTo(20).slice(4), 1]);
  });

  test('that names messages ends early as well', async () => {
    const { logs } = await open();
    const bySeq = await logs.find(ROOM, { seqs: upTo(20), ids: [], clientMsgNos: [] });
    expect(seqs(bySeq)).toEqual(upTo(16));
    const mixed = await logs.find(ROOM, { seqs: upTo(10), ids: upTo(20), clientMsgNos: [] });
    expect(mixed).toHaveLength(16);
  });

  test('holds one message, however large', async () => {
    const store = await fill([message(1), message(2, { payload: 'A'.repeat(17 * 1024 * 1024) }), message(3)]);
    const answer = await store.logs.read(ROOM, { start: 2, end: 0, limit: 10, pullMode: 1 });
    expect([seqs(answer.messages), answer.more]).toEqual([[2], 1]);
  });
});

test('messages are found by seq, id and client number, united, ascending, each once', async () => {
  const store = await fill([...upTo(300).map((id) => message(1000 + id)), message(2000, { ts: 1, exp: 1 })]);
  const wanted = { seqs: [7, 300, 7, 999, 301], ids: [1007, 1005, 5, 2000], clientMsgNos: ['no-1299', 'x', ''] };
  expect(seqs(await store.logs.find(ROOM, wanted))).toEqual([5, 7, 299, 300]);
});

test('an empty client number finds nothing, one that several messages share finds all', async () => {
  const store = await fill([message(1, { no: '' }), message(2, { no: 'x' }), message(3, { no: 'x' })]);
  expect(await store.logs.find(ROOM, { seqs: [], ids: [], clientMsgNos: [''] })).toEqual([]);
  expect(seqs(await store.logs.find(ROOM, { seqs: [], ids: [], clientMsgNos: ['x'] }))).toEqual([2, 3]);
});

test('ids are sought among the newest 10,000 messages', async () => {
  const key = `r:{${shardOf('2:room', LIMITS.shards)}}:log:2:room`;
  const pipeline = redis.client.pipeline();
  for (const seq of upTo(10_300)) pipeline.zadd(key, seq, JSON.stringify([seq, 1, 'ann', '', 'eA==']));
  await pipeline.exec();
  const found = await redis.open().logs.find(ROOM, { seqs: [], ids: [10, 301, 10_300], clientMsgNos: [] });
  expect(seqs(found)).toEqual([301, 10_300]);
});

test('a batch is read from the log with ids by position, and without its body not at all', async () => {
  const store = redis.open();
  const first = 2 ** 52;
  const ref = first.toString(36);
  await store.bodies.write(ref, batch(first, { from: 'ann' }), 3);
  const to = recipients(['x', 'y', 'z'], 'ann', false);
  await store.appender('fanout.0').appendReferences(jobRun('j'), { ref, from: 'ann', command: false }, to);
  const range = { start: 0, end: 0, limit: 10, pullMode: 0 as const };
  for (const { uid, position } of to) {
    const { messages } = await store.logs.read({ channel_id: uid, channel_type: 1, login_uid: 'ann' }, range);
    expect(messages).toMatchObject([
      { message_id: first + position, from_uid: 'ann', channel_id: uid, message_seq: 1 },
    ]);
    const [seq] = await store.logs.seqsOfReferences([{ ref, position, from: 'ann', uid }]);
    expect(seq).toBe(1);
  }
  expect(await store.logs.seqsOfReferences([{ ref, position: 99, from: 'ann', uid: 'x' }])).toEqual([0]);
  await store.bodies.remove(ref);
  const fresh = redis.open();
  const log = { channel_id: 'x', channel_type: 1, login_uid: 'ann' };
  expect((await fresh.logs.read(log, range)).messages).toEqual([]);
});

test('both users of a personal channel read one log, each message with the recipient it was sent to', async () => {
  const store = await fill([
    message(1, { from: 'ann', ch: channelName(1, 'bob', 'ann') }),
    message(2, { from: 'bob', ch: channelName(1, 'ann', 'bob') }),
  ]);
  const range = { start: 0, end: 0, limit: 10, pullMode: 0 as const };
  for (const [login_uid, channel_id] of [
    ['ann', 'bob'],
    ['bob', 'ann'],
  ] as const) {
    const { messages } = await store.logs.read({ login_uid, channel_id, channel_type: 1 }, range);
    expect(messages.map((m) => [m.from_uid, m.channel_id])).toEqual([
      ['ann', 'bob'],
      ['bob', 'ann'],
    ]);
  }
});
