import { randomUUID } from 'node:crypto';
import { channelName } from '@ruyi/contracts';
import { DeadLetters, openQueues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { base64, fresh, names, testSystem } from './harness.ts';

const system = testSystem(['worker', 'indexer']);

const logKey = (uid: string, from: string) => {
  const channel = channelName(1, uid, from);
  return keys.log(shardOf(channel, evenShards(8)), channel);
};

/** What `ruyi reindex` does; resolves when the new index serves. */
async function reindex(): Promise<void> {
  const { client } = system.redis;
  await client.set(keys.rebuild, JSON.stringify({ id: randomUUID(), reason: 'test', fresh: true }));
  await waitFor(async () => (await client.exists(keys.rebuild)) === 0, { what: 'the rebuild', deadlineMs: 40_000 });
}

/** What `ruyi dead retry --all` does; resolves when the letters are worked. */
async function retryAll(): Promise<void> {
  const queues = openQueues(connect(system.redis.url, 'background', 'test'), 2);
  const letters = new DeadLetters(queues, evenShards(8));
  for await (const { id } of letters.each()) {
    const retry = await letters.retry(id);
    if ('refused' in retry) throw new Error(retry.refused);
    await waitFor(async () => (await letters.outcome(retry)) === 'done', { what: 'a retry to end' });
  }
  await queues.close();
  queues.redis.disconnect();
  await system.settled();
}

/** Which of the uids find the batch; its sender, who names each of them, has to find the same. */
async function finders(uids: string[], from: string): Promise<string[]> {
  const query = { payload: { content: '放假通知' } };
  const found: string[] = [];
  for (const uid of uids) {
    const own = await system.search({ uid, ...query });
    const named = await system.search({ uid: from, channel_id: uid, channel_type: 1, ...query });
    expect([own.total, named.total]).toEqual([own.messages.length, own.messages.length]);
    expect(own.messages.length).toBeLessThanOrEqual(1);
    if (own.messages.length === 1) found.push(uid);
  }
  return found;
}

test.each([0, 1, 2])('failure, reindex, repair, retry, %i more reindexes: everybody finds it', async (times) => {
  const uids = names(5, fresh('member'));
  const from = fresh('boss');
  const broken = uids[2] ?? '';
  const others = uids.filter((uid) => uid !== broken);
  const { client } = system.redis;
  await client.set(logKey(broken, from), 'no log');
  const batch = { from_uid: from, subscribers: uids, payload: base64({ content: '放假通知' }) };
  const { body } = await system.sendBatch(batch);
  await system.settled();
  const progress = () => system.progress(body.batch_no);
  expect(await progress()).toMatchObject({ stored: 4, failed: 1, indexed: 4 });
  expect(await finders(uids, from)).toEqual(others);

  await reindex();
  expect(await progress()).toMatchObject({ stored: 4, indexed: 4 });
  expect(await finders(uids, from)).toEqual(others);

  await client.del(logKey(broken, from));
  await retryAll();
  for (let i = 0; i <= times; i++) {
    expect(await progress()).toMatchObject({ stored: 5, failed: 0, indexed: 5, state: 'done' });
    expect(await finders(uids, from)).toEqual(uids);
    if (i < times) await reindex();
  }
});
