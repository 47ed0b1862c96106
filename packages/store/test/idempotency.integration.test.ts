import { channelName } from '@ruyi/contracts';
import { digestOf, idemHash, isSameRequest, keys, shardOf } from '@ruyi/store';
import { expect, test } from 'vitest';
import { base64, inboxOf, jobRun, LIMITS, logOf, message, now, testStores } from './harness.ts';

const redis = testStores();
const shard = (name: string) => shardOf(name, LIMITS.shards);
const hash = idemHash(['ann', '2:room'], 'my-number');
const digest = digestOf('a request');

test('fifty jobs with the same client_msg_no and different payloads store one message', async () => {
  const store = redis.open();
  const ts = now();
  // As the ingress does it: the first takes the record, all others queue its id and time.
  const claims = await Promise.all(
    Array.from({ length: 50 }, (_, i) => store.idempotency.claim(shard('2:room'), hash, { id: 100 + i, ts, digest })),
  );
  const winner = claims.indexOf(undefined);
  expect(claims.filter((claim) => claim === undefined)).toHaveLength(1);
  const ids = new Set(claims.map((claim) => claim?.id ?? 100 + winner));
  expect([...ids]).toEqual([100 + winner]);

  const item = (i: number) => message(100 + winner, { ts, idem: hash, payload: base64(`payload ${i}`) });
  const lane = store.appender('send.0');
  for (let i = 0; i < 50; i += 2) await lane.appendMessages(jobRun(`j${i}`), [item(i), item(i + 1)]);
  expect(await logOf(redis.client, '2:room')).toHaveLength(1);
  expect(await redis.client.get(keys.seq(shard('2:room'), '2:room'))).toBe('1');
});

test('the record says where the message was stored, and lives for the configured time from its acceptance', async () => {
  const store = redis.open({ idempotencyTtl: 500 });
  const ts = now() - 100;
  await store.idempotency.claim(shard('2:room'), hash, { id: 7, ts, digest });
  expect(await store.idempotency.read(shard('2:room'), hash)).toEqual({
    state: 'accepted',
    id: 7,
    ts,
    digest,
    recipients: 1,
  });
  await store.appender('send.0').appendMessages(jobRun('a'), [message(6), message(7, { ts, idem: hash, digest })]);
  expect(await store.idempotency.read(shard('2:room'), hash)).toEqual({ state: 'stored', id: 7, ts, digest, seq: 2 });
  expect(await redis.client.expiretime(keys.idem(shard('2:room'), hash))).toBe(ts + 500);
});

test('a repeat of a stored message is skipped and takes no seq from the ones after it', async () => {
  const lane = redis.open().appender('send.0');
  const ts = now();
  await lane.appendMessages(jobRun('a'), [message(1, { idem: hash, ts })]);
  const stored = await lane.appendMessages(jobRun('b'), [
    message(1, { idem: hash, ts, payload: base64('other') }),
    message(2),
  ]);
  expect(stored.map(({ seq, failure }) => [seq, failure])).toEqual([
    [0, undefined],
    [2, undefined],
  ]);
  expect((await logOf(redis.client, '2:room')).map(({ seq }) => seq)).toEqual([1, 2]);
});

test('the same bytes again answer the seq of the first', async () => {
  const lane = redis.open().appender('send.0');
  const ts = now();
  const item = message(1, { idem: hash, ts });
  await lane.appendMessages(jobRun('a'), [message(5), item]);
  const [again] = await lane.appendMessages(jobRun('b'), [item]);
  expect(again?.seq).toBe(2);
});

test('a stored message that retention has dropped is still known', async () => {
  const lane = redis.open({ logRetention: 1 }).appender('send.0');
  const ts = now();
  const item = message(1, { idem: hash, ts });
  await lane.appendMessages(jobRun('a'), [item, message(2)]);
  await lane.appendMessages(jobRun('b'), [item]);
  expect((await logOf(redis.client, '2:room')).map(({ seq }) => seq)).toEqual([2]);
});

test('an accepted record alone keeps nothing from being stored', async () => {
  const store = redis.open();
  const ts = now();
  await store.idempotency.claim(shard('2:room'), hash, { id: 1, ts, digest });
  const [stored] = await store.appender('send.0').appendMessages(jobRun('a'), [message(1, { idem: hash, ts })]);
  expect(stored?.seq).toBe(1);
});

test('a record that expired lets a message be stored again, as a new one', async () => {
  const store = redis.open({ idempotencyTtl: 5 });
  const ts = now() - 10;
  const lane = store.appender('send.0');
  await lane.appendMessages(jobRun('a'), [message(1, { idem: hash, ts })]);
  expect(await store.idempotency.read(shard('2:room'), hash)).toBeUndefined();
  const [stored] = await lane.appendMessages(jobRun('b'), [message(2, { idem: hash, ts: now() })]);
  expect(stored?.seq).toBe(2);
});

test('a message that failed leaves no record, so that a retry can store it', async () => {
  const store = redis.open();
  const ts = now();
  await redis.client.set(keys.log(shard('2:room'), '2:room'), 'x');
  await store.appender('send.0').appendMessages(jobRun('a'), [message(1, { idem: hash, ts })]);
  await redis.client.del(keys.log(shard('2:room'), '2:room'));
  const [stored] = await store.appender('send.0').appendMessages(jobRun('b'), [message(1, { idem: hash, ts })]);
  expect(stored?.seq).toBe(1);
});

test('a record of the wrong type keeps nothing from being stored', async () => {
  await redis.client.rpush(keys.idem(shard('2:room'), hash), 'x');
  const [stored] = await redis
    .open()
    .appender('send.0')
    .appendMessages(jobRun('a'), [message(1, { idem: hash })]);
  expect([stored?.seq, stored?.failure]).toEqual([1, undefined]);
});

test('a repeated personal command reaches each of its two inboxes once, wherever the first try died', async () => {
  const [from, to] = ['ann', ['bob', 'cid', 'dan', 'eve'].find((uid) => shard(uid) !== shard('ann')) ?? ''];
  const ts = now();
  const command = { ch: channelName(1, to, from), cmd: 1 as const, idem: hash, digest, ts };
  const death = new AbortController();
  let calls = 0;
  const dying = redis.open({}, async (send) => {
    if (++calls === 1) return send();
    death.abort();
    throw new Error('died');
  });
  const run = jobRun('a', { signal: death.signal });
  await expect(dying.appender('send.0').appendMessages(run, [message(1, command)])).rejects.toThrow();
  const half = await Promise.all([from, to].map(async (uid) => (await inboxOf(redis.client, uid)).newest));
  expect(half.sort()).toEqual([0, 1]);

  const lane = redis.open().appender('send.0');
  for (const job of ['b', 'c']) {
    await lane.appendMessages(jobRun(job), [message(1, { ...command, payload: base64(job) })]);
  }
  for (const uid of [from, to]) {
    expect((await inboxOf(redis.client, uid)).newest).toBe(1);
    const record = keys.idem(shard(uid), uid === from ? `${hash}.own` : hash);
    expect(await redis.client.get(record)).toBe(`S:1:${ts}:${digest}:1`);
  }
});

test('a personal command reaches both inboxes once where they lie in one shard', async () => {
  const uids = Array.from({ length: 40 }, (_, i) => `u${i}`);
  const to = uids.find((uid) => shard(uid) === shard('ann')) ?? '';
  const command = { ch: channelName(1, to, 'ann'), from: 'ann', cmd: 1 as const, idem: hash };
  const lane = redis.open().appender('send.0');
  for (const job of ['a', 'b']) await lane.appendMessages(jobRun(job), [message(1, command)]);
  for (const uid of ['ann', to]) expect((await inboxOf(redis.client, uid)).newest).toBe(1);
});

test('a batch record goes from accepted to queued, keeps its digest and its first expiry', async () => {
  const { idempotency } = redis.open();
  const own = { id: 2 ** 52 + 1, ts: now(), digest };
  await idempotency.claim('0', hash, { ...own, recipients: 70 });
  await redis.client.expire(keys.idem('0', hash), 77);
  const other = { id: 9, ts: 9, digest: digestOf('another request') };
  expect(await idempotency.claim('0', hash, other)).toEqual({ state: 'accepted', ...own, recipients: 70 });
  await idempotency.markQueued('0', hash, own);
  expect(await idempotency.claim('0', hash, other)).toEqual({ state: 'queued', ...own });
  expect(await redis.client.ttl(keys.idem('0', hash))).toBeLessThanOrEqual(77);
  await idempotency.markStored('0', hash, own);
  expect(await idempotency.read('0', hash)).toEqual({ state: 'stored', ...own, seq: 0 });
});

test('marking a record that is gone makes none', async () => {
  const { idempotency } = redis.open();
  await idempotency.markQueued('0', hash, { id: 1, ts: 1, digest });
  await idempotency.markStored('0', hash, { id: 1, ts: 1, digest });
  expect(await idempotency.read('0', hash)).toBeUndefined();
});

test('an answer that is stored nowhere is kept as it was given', async () => {
  const { idempotency } = redis.open();
  expect(await idempotency.claimAnswer('1', hash, { id: 5, ts: 6, digest })).toBeUndefined();
  const other = { id: 7, ts: 8, digest: digestOf('another request') };
  expect(await idempotency.claimAnswer('1', hash, other)).toEqual({ state: 'stored', id: 5, ts: 6, digest, seq: 0 });
});

test.each([
  ['R:5:6:', { state: 'accepted', recipients: 1 }],
  ['R:5:6:AbCdEfGhIjKlMnOpQrStUv', { state: 'accepted', recipients: 1, fingerprint: 'AbCdEfGhIjKlMnOpQrStUv' }],
  ['S:5:6:17', { state: 'stored', seq: 17 }],
  ['S:5:6:0', { state: 'stored', seq: 0 }],
  ['Q:5:6', { state: 'queued' }],
])('a record of a version without digests, %s, is read and equals every request', async (text, record) => {
  const { idempotency } = redis.open();
  await redis.client.set(keys.idem('0', hash), text);
  expect(await idempotency.read('0', hash)).toEqual({ id: 5, ts: 6, digest: '', ...record });
  expect([isSameRequest('', digest), isSameRequest(digest, '')]).toEqual([true, true]);
  expect([isSameRequest(digest, digest), isSameRequest(digest, digestOf('another request'))]).toEqual([true, false]);
});

test('a job that an API without digests has queued stores its message and leaves a record that is read', async () => {
  const store = redis.open();
  const ts = now();
  await redis.client.set(keys.idem(shard('2:room'), hash), `R:1:${ts}:`);
  await store.appender('send.0').appendMessages(jobRun('a'), [message(1, { idem: hash, ts })]);
  const record = await store.idempotency.read(shard('2:room'), hash);
  expect(record).toEqual({ state: 'stored', id: 1, ts, digest: '', seq: 1 });
});

test('scopes whose parts run together do not share a record', () => {
  expect(idemHash(['a', 'bc'], 'd')).not.toBe(idemHash(['ab', 'c'], 'd'));
  expect(idemHash(['a', 'b'], 'c')).toBe(idemHash(['a', 'b'], 'c'));
  expect(idemHash(['a', 'b'], 'c')).toMatch(/^[\w-]{22}$/);
});
