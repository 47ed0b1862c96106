import { channelName } from '@ruyi/contracts';
import { keys, shardOf } from '@ruyi/store';
import { beforeEach, describe, expect, test } from 'vitest';
import { base64, batch, jobRun, LIMITS, message, now, testStores, upTo } from './harness.ts';

const redis = testStores();
const command = { ch: channelName(1, 'bob', '____system'), from: '____system', cmd: 1 as const };
const seqs = (messages: { message_seq: number }[]) => messages.map((m) => m.message_seq);

describe('an inbox of 300 commands, 100 of them acknowledged, 20 of those kept', () => {
  const limits = { inboxKeep: 20 };
  beforeEach(async () => {
    const store = redis.open(limits);
    const items = upTo(300).map((id) => message(id, command));
    await store.appender('send.0').appendMessages(jobRun('j'), items);
    await store.inboxes.acknowledge('bob', 100);
  });

  test.each([
    ['0: from the cursor', 0, 5, [101, 102, 103, 104, 105]],
    ['0 over several pages', 0, 1000, upTo(300).slice(100)],
    ['as large as a page', 0, 128, upTo(228).slice(100)],
    ['larger than the newest: from the cursor', 301, 2, [101, 102]],
    ['far larger', 2 ** 32 - 1, 300, upTo(300).slice(100)],
    ['below the cursor: read back', 90, 12, upTo(102).slice(90)],
    ['below what is kept: from the oldest kept', 3, 2, [81, 82]],
    ['at the cursor', 100, 2, [101, 102]],
    ['above the cursor', 200, 3, [201, 202, 203]],
    ['the newest: nothing', 300, 10, []],
    ['just below the newest', 299, 10, [300]],
  ])('%s (message_seq %i, limit %i)', async (_, messageSeq, limit, expected) => {
    const { inboxes } = redis.open(limits);
    expect(seqs(await inboxes.read('bob', messageSeq, limit))).toEqual(expected);
  });

  test('reading above the cursor acknowledges nothing', async () => {
    const { inboxes } = redis.open(limits);
    await inboxes.read('bob', 250, 10);
    expect(seqs(await inboxes.read('bob', 0, 1))).toEqual([101]);
  });

  test.each([
    ['0 changes nothing', [0], 100],
    ['forward', [150], 150],
    ['never back', [150, 120], 150],
    ['the same again', [150, 150], 150],
    ['never past the newest', [5000], 300],
  ])('acknowledging: %s', async (_, acknowledged, cursor) => {
    const { inboxes } = redis.open(limits);
    for (const seq of acknowledged) await inboxes.acknowledge('bob', seq);
    expect(await redis.client.get(keys.cursor(shardOf('bob', LIMITS.shards), 'bob'))).toBe(String(cursor));
    expect(seqs(await inboxes.read('bob', 0, 1))).toEqual(cursor === 300 ? [] : [cursor + 1]);
  });

  test('what comes after everything was acknowledged is read next', async () => {
    const store = redis.open(limits);
    await store.inboxes.acknowledge('bob', 300);
    await store.appender('send.0').appendMessages(jobRun('k'), [message(301, command)]);
    expect(seqs(await store.inboxes.read('bob', 0, 10))).toEqual([301]);
  });
});

test('an unknown user has an empty inbox and nothing to acknowledge', async () => {
  const { inboxes } = redis.open();
  expect(await inboxes.read('nobody', 0, 10)).toEqual([]);
  expect(await inboxes.read('nobody', 7, 10)).toEqual([]);
  await inboxes.acknowledge('nobody', 7);
  expect(await inboxes.read('nobody', 0, 10)).toEqual([]);
});

test('expired commands are left out before the limit applies', async () => {
  const store = redis.open();
  const expired = { ...command, ts: now() - 100, exp: 50 };
  const items = upTo(400).map((id) => message(id, id <= 390 ? expired : command));
  await store.appender('send.0').appendMessages(jobRun('j'), items);
  expect(seqs(await store.inboxes.read('bob', 0, 5))).toEqual([391, 392, 393, 394, 395]);
});

test('an answer ends early after 16 MiB of payload, and the next goes on behind it', async () => {
  const store = redis.open();
  const payload = 'A'.repeat(1024 * 1024);
  for (const id of upTo(20)) {
    await store.appender('send.0').appendMessages(jobRun(`j${id}`), [message(id, { ...command, payload })]);
  }
  expect(seqs(await store.inboxes.read('bob', 0, 100))).toEqual(upTo(16));
  expect(seqs(await store.inboxes.read('bob', 16, 100))).toEqual([17, 18, 19, 20]);
});

test('a command of a batch has an id of its own and shows the sender; one to a group shows the group', async () => {
  const store = redis.open();
  const first = 2 ** 52;
  const ref = first.toString(36);
  await store.bodies.write(ref, batch(first, { payload: base64('x') }, true), 2);
  await store.bodies.write('grp', { ...batch(5), kind: 'group', ch: '2:a:b', cmd: true }, 1);
  const lane = store.appender('fanout.0');
  await lane.appendReferences(jobRun('a'), { ref, from: 'ann', command: true }, [{ uid: 'bob', position: 1 }]);
  await lane.appendReferences(jobRun('b'), { ref: 'grp', from: 'ann', command: true }, [{ uid: 'bob', position: 0 }]);
  expect(await store.inboxes.read('bob', 0, 10)).toMatchObject([
    { message_id: first + 1, message_idstr: String(first + 1), channel_id: 'ann', channel_type: 1, payload: 'eA==' },
    { message_seq: 2, channel_id: 'a:b', channel_type: 2, from_uid: 'ann' },
  ]);
});
