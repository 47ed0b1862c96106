import { channelName } from '@ruyi/contracts';
import { keys, shardOf } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { jobRun, LIMITS, message, names, recipients, testStores } from './harness.ts';

const redis = testStores();
const ROOM = '2:room';
const shard = (name: string) => shardOf(name, LIMITS.shards);

describe('a log or inbox that has given away its last seq', () => {
  const LAST = 2 ** 32 - 1;
  const FULL = /every message_seq up to 4294967295 is given away/;

  test('refuses messages, with the reason, and hurts no other', async () => {
    await redis.client.set(keys.seq(shard(ROOM), ROOM), LAST - 1);
    const store = redis.open();
    const items = [message(1), message(2), message(3, { ch: '2:other' }), message(4)];
    const stored = await store.appender('send.0').appendMessages(jobRun('j'), items);
    const full = expect.stringMatching(FULL);
    expect(stored.map(({ failure }) => failure)).toEqual([undefined, full, undefined, full]);
    expect([stored[0]?.seq, stored[2]?.seq]).toEqual([LAST, 1]);
    const room = { channel_id: 'room', channel_type: 2 };
    expect(await store.logs.maxSeq(room)).toBe(LAST);
    const newest = { start: 0, end: 0, limit: 10, pullMode: 0 as const };
    expect((await store.logs.read(room, newest)).messages.map((one) => one.message_seq)).toEqual([LAST]);
  });

  test.each([false, true])('refuses copies of a batch; commands: %s', async (command) => {
    const place = command ? 'u3' : channelName(1, 'u3', 'ann');
    const key = command ? keys.inboxSeq(shard('u3'), 'u3') : keys.seq(shard(place), place);
    await redis.client.set(key, LAST);
    const failures = await redis
      .open()
      .appender('fanout.0')
      .appendReferences(jobRun('j'), { ref: 'abc', from: 'ann', command }, recipients(names(50), 'ann', command));
    expect(failures.map(({ recipient, reason }) => [recipient.uid, reason])).toEqual([
      ['u3', expect.stringMatching(FULL)],
    ]);
    expect(await redis.client.get(key)).toBe(String(LAST));
  });
});
