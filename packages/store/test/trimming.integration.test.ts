import { channelName } from '@ruyi/contracts';
import { encodeEntry, keys, type Store, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { batch, inboxOf, jobRun, LIMITS, logOf, message, names, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();
const shard = (name: string) => shardOf(name, LIMITS.shards);
const personal = (uid: string) => channelName(1, uid, 'ann');
const hasBody = async (ref: string) => (await redis.client.exists(keys.body(ref))) === 1;

/** Stores a batch as a fanout job does, up to the flush. */
async function storeBatch(store: Store, ref: string, uids: string[], command = false): Promise<void> {
  await store.bodies.write(ref, batch(Number.parseInt(ref, 36), {}, command), uids.length);
  await store.bodies.confirm(ref, batch(1).body);
  const to = recipients(uids, 'ann', command);
  await store.appender('fanout.0').appendReferences(jobRun(`job-${ref}`), { ref, from: 'ann', command }, to);
}

test('LOG_RETENTION keeps the newest messages, and seqs go on', async () => {
  const store = redis.open({ logRetention: 3 });
  const lane = store.appender('send.0');
  for (const id of upTo(10)) await lane.appendMessages(jobRun(`j${id}`), [message(id)]);
  expect((await logOf(redis.client, '2:room')).map(({ seq }) => seq)).toEqual([8, 9, 10]);
  const [stored] = await lane.appendMessages(jobRun('last'), [message(11)]);
  expect(stored?.seq).toBe(11);
});

test('a body goes with the last entry that refers to it, not before', async () => {
  const store = redis.open({ logRetention: 2 });
  await storeBatch(store, 'b1', ['x', 'y', 'z']);
  const lane = store.appender('send.0');
  for (const [i, uid] of ['x', 'y', 'z'].entries()) {
    expect(await hasBody('b1')).toBe(true);
    await lane.appendMessages(jobRun(`a${i}`), [message(i * 2 + 1, { ch: personal(uid) })]);
    await lane.appendMessages(jobRun(`b${i}`), [message(i * 2 + 2, { ch: personal(uid) })]);
    await store.trimmer.flush();
    expect((await logOf(redis.client, personal(uid))).map(({ seq }) => seq)).toEqual([2, 3]);
  }
  expect(await redis.client.exists(keys.body('b1'), keys.gone('b1'))).toBe(0);
});

test('a crash between the mark and the trim is repeated without harm', async () => {
  const store = redis.open({ logRetention: 1 });
  await storeBatch(store, 'b1', ['x', 'y']);
  const [reference] = await logOf(redis.client, personal('x'));
  const position = Number(reference?.entry.split('.')[1]);
  // What the process that died had done: the mark; the entry is still there.
  await store.appender('send.0').appendMessages(jobRun('a'), [message(1, { ch: personal('x') })]);
  await store.bodies.markGone([{ ref: 'b1', position }]);

  const next = redis.open({ logRetention: 1 });
  await next.appender('send.0').appendMessages(jobRun('b'), [message(2, { ch: personal('x') })]);
  await next.trimmer.flush();
  expect((await logOf(redis.client, personal('x'))).map(({ seq }) => seq)).toEqual([3]);
  expect(await hasBody('b1')).toBe(true);
  await next.appender('send.0').appendMessages(jobRun('c'), [message(3, { ch: personal('y') })]);
  await next.trimmer.flush();
  expect(await hasBody('b1')).toBe(false);
});

test('a mark of a body that is gone leaves nothing behind', async () => {
  await redis.open().bodies.markGone([{ ref: 'never', position: 5 }]);
  expect(await redis.client.keys('*')).toEqual([]);
});

test('an inbox over INBOX_MAX drops its oldest commands, and bodies with them', async () => {
  const store = redis.open({ inboxMax: 2 });
  await storeBatch(store, 'b1', ['x', 'y'], true);
  await storeBatch(store, 'b2', ['x', 'y'], true);
  await storeBatch(store, 'b3', ['x'], true);
  await store.trimmer.flush();
  expect(await hasBody('b1')).toBe(true);
  await storeBatch(store, 'b4', ['y'], true);
  await store.trimmer.flush();
  expect(await hasBody('b1')).toBe(false);
  expect((await inboxOf(redis.client, 'x')).entries).toHaveLength(2);
  expect((await store.inboxes.read('x', 0, 10)).map((m) => m.message_seq)).toEqual([2, 3]);
  expect((await store.inboxes.read('y', 0, 10)).map((m) => m.message_seq)).toEqual([2, 3]);
});

test('an inbox of plain commands over INBOX_MAX is trimmed in the same call', async () => {
  const store = redis.open({ inboxMax: 3 });
  const items = upTo(200).map((id) => message(id, { ch: personal('bob'), cmd: 1 }));
  await store.appender('send.0').appendMessages(jobRun('j'), items);
  expect((await inboxOf(redis.client, 'bob')).entries).toEqual(items.slice(-3).map((item) => encodeEntry(item, 'bob')));
  expect((await inboxOf(redis.client, 'bob')).newest).toBe(200);
});

test('acknowledged commands are kept up to INBOX_KEEP, bodies of the others go', async () => {
  const store = redis.open({ inboxKeep: 2 });
  for (const n of upTo(6)) await storeBatch(store, `b${n}`, ['x'], true);
  await store.inboxes.acknowledge('x', 5);
  expect((await inboxOf(redis.client, 'x')).entries).toEqual(['b4.0', 'b5.0', 'b6.0']);
  expect(await Promise.all(upTo(6).map((n) => hasBody(`b${n}`)))).toEqual([false, false, false, true, true, true]);
});

test('more acknowledged commands than one call drops are all dropped', async () => {
  const store = redis.open({ inboxMax: 10_000, inboxKeep: 0 });
  const items = upTo(2500).map((id) => message(id, { ch: personal('bob'), cmd: 1 }));
  await store.appender('send.0').appendMessages(jobRun('j'), items);
  await store.inboxes.acknowledge('bob', 2400);
  expect((await inboxOf(redis.client, 'bob')).entries).toHaveLength(100);
  expect((await store.inboxes.read('bob', 0, 1)).map((m) => m.message_seq)).toEqual([2401]);
});

test('seqs of an inbox never restart, also when nothing is left of it', async () => {
  const store = redis.open({ inboxKeep: 0 });
  await storeBatch(store, 'b1', ['x'], true);
  await store.inboxes.acknowledge('x', 1);
  expect((await inboxOf(redis.client, 'x')).entries).toEqual([]);
  await storeBatch(store, 'b2', ['x'], true);
  expect((await store.inboxes.read('x', 0, 10)).map((m) => m.message_seq)).toEqual([2]);
});

test.each([
  ['messages', async (entry: number) => JSON.stringify([entry, 1, 'a', '', 'eA=='])],
  ['references', async (entry: number) => `b1.${entry}`],
])('a bound that was lowered far below the length of a log of %s is reached in steps', async (_, entryOf) => {
  const key = keys.log(shard('2:room'), '2:room');
  for (const seq of upTo(2500)) await redis.client.zadd(key, seq, await entryOf(seq));
  await redis.client.set(keys.seq(shard('2:room'), '2:room'), 2500);
  const store = redis.open({ logRetention: 10 });
  const lane = store.appender('send.0');
  await lane.appendMessages(jobRun('a'), [message(1)]);
  expect(await redis.client.zcard(key)).toBeGreaterThanOrEqual(1501);
  await store.trimmer.flush();
  await lane.appendMessages(jobRun('b'), [message(2)]);
  await lane.appendMessages(jobRun('c'), [message(3)]);
  await store.trimmer.flush();
  expect((await logOf(redis.client, '2:room')).map(({ seq }) => seq)).toEqual(upTo(2503).slice(-10));
});

test('whatever is stored in whatever order, each log holds the newest, and a body lives while a log refers to it', async () => {
  const random = seededRandom();
  const store = redis.open({ logRetention: 4 });
  const lane = store.appender('send.0');
  const users = names(6);
  const model = new Map<string, string[]>(users.map((uid) => [uid, []]));
  const refs = upTo(40).map((n) => `b${n}`);
  for (const [round, ref] of refs.entries()) {
    const to = users.filter(() => random.next() < 0.5);
    if (to.length > 0) await storeBatch(store, ref, to);
    for (const { uid, position } of recipients(to, 'ann', false)) model.get(uid)?.push(`${ref}.${position}`);
    for (const uid of users.filter(() => random.next() < 0.3)) {
      const item = message(round * 100 + 1, { ch: personal(uid) });
      await lane.appendMessages(jobRun(`${ref}-${uid}`), [item]);
      model.get(uid)?.push(encodeEntry(item));
    }
    if (random.next() < 0.7) await store.trimmer.flush();
  }
  await store.trimmer.flush();
  const kept = users.flatMap((uid) => model.get(uid)?.slice(-4) ?? []);
  for (const uid of users) {
    expect((await logOf(redis.client, personal(uid))).map(({ entry }) => entry)).toEqual(model.get(uid)?.slice(-4));
  }
  for (const ref of refs) {
    expect(await hasBody(ref), ref).toBe(kept.some((entry) => entry.startsWith(`${ref}.`)));
  }
});

test.each(['body', 'gone'] as const)(
  'a broadcast whose %s is damaged keeps nothing else from being trimmed',
  async (kind) => {
    const store = redis.open({ inboxMax: 2, inboxKeep: 0, logRetention: 2 });
    for (const ref of ['b1', 'b2', 'b3']) {
      await storeBatch(store, ref, ['x'], true);
      await storeBatch(store, `${ref}m`, ['x']);
      if (ref !== 'b1') continue;
      for (const key of [keys[kind]('b1'), keys[kind]('b1m')]) {
        await redis.client.del(key);
        await redis.client.rpush(key, 'x');
      }
    }
    await store.trimmer.flush();
    expect((await inboxOf(redis.client, 'x')).entries).toEqual(['b2.0', 'b3.0']);
    expect((await logOf(redis.client, personal('x'))).map(({ entry }) => entry)).toEqual(['b2m.0', 'b3m.0']);
    await store.inboxes.acknowledge('x', 3);
    expect((await inboxOf(redis.client, 'x')).entries).toEqual([]);
    expect(await hasBody('b2')).toBe(false);
  },
);
