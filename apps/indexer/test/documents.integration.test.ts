import { channelName } from '@ruyi/contracts';
import type { IndexJob } from '@ruyi/queue';
import { accessKey } from '@ruyi/search';
import { keys, shardOf } from '@ruyi/store';
import { expect, test } from 'vitest';
import { documentsOf } from '../src/documents.ts';
import { groupKey, LIMITS, now, payload, storeBatch, storeMessages, testStores, uidKey } from './harness.ts';

const redis = testStores();

const documents = async (store: ReturnType<typeof redis.open>, job: IndexJob) =>
  (await documentsOf(store, job)).map(({ document }) => document);

test('a personal message belongs to both of its users, and to no channel', async () => {
  const store = redis.open();
  const job = await storeMessages(store, [
    { ch: channelName(1, 'bob', 'ann'), payload: payload({ type: 7, content: '你好', size: 3 }), topic: 'news' },
  ]);
  const [document] = await documents(store, job);
  expect(document?.audience.toSorted()).toEqual([uidKey('ann'), uidKey('bob')].sort());
  expect(document).toMatchObject({
    from: uidKey('ann'),
    channel: '',
    channelId: '',
    channelType: 1,
    payloadType: 7,
    text: { content: '你好' },
    topic: accessKey('topic', 'news'),
    expiresAt: 0,
  });
  expect(document?.id).toBe(`m${document?.order}`);
  expect(document?.id).toMatch(/^[A-Za-z0-9-]+$/);
});

test('a message to oneself belongs to oneself, once', async () => {
  const store = redis.open();
  const [document] = await documents(store, await storeMessages(store, [{ ch: channelName(1, 'ann', 'ann') }]));
  expect(document?.audience).toEqual([uidKey('ann')]);
});

test('a message to a group belongs to the group and its sender; the type is part of the group', async () => {
  const store = redis.open();
  const job = await storeMessages(store, [{ ch: '2:room' }, { ch: '3:room', from: 'bob' }]);
  const made = await documents(store, job);
  expect(made.map(({ audience }) => audience)).toEqual([
    [groupKey('2:room'), uidKey('ann')],
    [groupKey('3:room'), uidKey('bob')],
  ]);
  expect(made.map(({ channel, channelType }) => [channel, channelType])).toEqual([
    [groupKey('2:room'), 2],
    [groupKey('3:room'), 3],
  ]);
  expect(made.map(({ channelId }) => channelId)).toEqual(made.map(() => accessKey('channel_id', 'room')));
});

test('a chunk of a batch is one document for its recipients, in their order, and not for its sender', async () => {
  const store = redis.open();
  const to = Array.from({ length: 2500 }, (_, i) => `u${i}`);
  const { ref, jobs } = await storeBatch(store, to, { from: 'news', payload: payload({ content: 'hello' }) });
  const made = (await Promise.all(jobs.map((job) => documents(store, job)))).flat();
  const chunks = jobs.flatMap(({ broadcast }) => broadcast?.chunks ?? []);
  expect(made.map(({ id }) => id)).toEqual(chunks.map(({ chunk }) => `${ref}-${chunk}`));
  expect(made.length).toBeLessThan(6);
  for (const [i, { audience, order, text, from }] of made.entries()) {
    const { uids = '', start = 0 } = chunks[i] ?? {};
    expect(audience).toEqual(uids.split('\n').map(uidKey));
    expect([text, from, order]).toEqual([{ content: 'hello' }, uidKey('news'), (made[0]?.order ?? 0) + start]);
    expect(audience).not.toContain(uidKey('news'));
  }
});

test('a document names a job that makes only this document', async () => {
  const store = redis.open();
  const single = await storeMessages(store, [{}, { ch: channelName(1, 'bob', 'ann') }, {}]);
  const batch = await storeBatch(
    store,
    Array.from({ length: 3000 }, (_, i) => `u${i}`),
    {},
  );
  for (const job of [single, ...batch.jobs]) {
    for (const { document, source } of await documentsOf(store, job)) {
      expect(await documents(store, source)).toEqual([document]);
    }
  }
});

test('a payload that is not an object has a document without text', async () => {
  const store = redis.open();
  const odd = ['plain text', '[1]', '"content"', 'null'].map((text) => ({ payload: payload(text) }));
  const job = await storeMessages(store, [...odd, { payload: Buffer.from([0xff, 0, 0x80]).toString('base64') }]);
  const made = await documents(store, job);
  expect(made).toHaveLength(5);
  for (const document of made) {
    expect(document.text).toEqual({});
    expect(document).not.toHaveProperty('payloadType');
  }
});

test('an expired or trimmed message has no document; one that expires later says when', async () => {
  const store = redis.open();
  const ts = now();
  const job = await storeMessages(store, [{ exp: 5, ts: ts - 10 }, { exp: 500, ts }, {}]);
  expect((await documents(store, job)).map(({ expiresAt }) => expiresAt)).toEqual([ts + 500, 0]);
  await redis.redis.client.zremrangebyrank(keys.log(shardOf('2:room', LIMITS.shards), '2:room'), 2, 2);
  expect(await documents(store, job)).toHaveLength(1);
  await redis.redis.client.flushall();
  expect(await documents(store, job)).toEqual([]);

  const { ref, jobs } = await storeBatch(store, ['ann', 'bob'], {});
  await redis.redis.client.del(keys.body(ref));
  for (const one of jobs) expect(await documents(redis.open(), one)).toEqual([]);
});
