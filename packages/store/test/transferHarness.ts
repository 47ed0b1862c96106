import { channelName } from '@ruyi/contracts';
import { connect, mastersOf, type RedisClient } from '@ruyi/redis';
import {
  type ExportOptions,
  exportEverything,
  importLines,
  keys,
  type Line,
  refOf,
  SCHEMA,
  type Shards,
  type Store,
  shardOf,
} from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { afterEach, beforeEach } from 'vitest';
import {
  base64,
  batch,
  jobRun,
  LIMITS,
  message,
  names,
  now,
  recipients,
  type TestStores,
  testStores,
  upTo,
} from './harness.ts';

/** What tests of exports and imports share. The source is database 0 of the server, the target database 1. */
export let redis: TestStores;
export const shard = (name: string, shards: Shards = LIMITS.shards) => shardOf(name, shards);
const NOT_EXPORTED = /^r:\{(meta|ids|reports|lanes)\}|^r:\{[0-9a-z]+\}:(head:|outbox$|outcounts$)/;

export let target: RedisClient;

/** A server for the file that calls this, and a connection to each for every test. */
export function startServers(): void {
  redis = testStores();
  beforeEach(() => {
    target = connect(`${redis.server.url}/1`, 'background', 'target');
  });
  afterEach(() => target.disconnect());
}

async function contentOf(client: RedisClient, key: string): Promise<unknown> {
  const [type, life] = await Promise.all([client.type(key), client.pttl(key)]);
  const expires = life < 0 ? 'never' : 'later';
  if (type === 'string') return [expires, (await client.getBuffer(key))?.toString('latin1')];
  if (type === 'list') return await client.lrange(key, 0, -1);
  if (type === 'zset') return await client.zrange(key, '0', '-1', 'WITHSCORES');
  if (type === 'set') return (await client.smembers(key)).sort();
  return [expires, Object.entries(await client.hgetall(key)).sort()];
}

/** Whether a key is a counter that says no more than the number of entries. Single sends make one, an import need not. */
async function isIdle(client: RedisClient, key: string): Promise<boolean> {
  const [kind, place] = key.includes(':seq:') ? [':seq:', ':log:'] : [':inseq:', ':in:'];
  if (!key.includes(kind)) return false;
  const held = place === ':log:' ? client.zcard(key.replace(kind, place)) : client.llen(key.replace(kind, place));
  return Number(await client.get(key)) === (await held);
}

/** Every key that an export carries, with its content. */
export async function contents(client: RedisClient): Promise<Record<string, unknown>> {
  const found = await Promise.all((await mastersOf(client)).map((master) => master.redis.keys('*')));
  const all = found
    .flat()
    .filter((key) => !NOT_EXPORTED.test(key))
    .sort();
  const content = await Promise.all(all.map((key) => contentOf(client, key)));
  const idle = await Promise.all(all.map((key) => isIdle(client, key)));
  return Object.fromEntries(all.flatMap((key, i) => (idle[i] ? [] : [[key, content[i]]])));
}

export async function linesOf(lines: AsyncIterable<Line>): Promise<string[]> {
  const texts: string[] = [];
  for await (const line of lines) texts.push(JSON.stringify(line));
  return texts;
}

export const optionsOf = (store: Store, onUnreadable: ExportOptions['onUnreadable'] = fail): ExportOptions => ({
  redis: redis.client,
  store,
  onUnreadable,
  signal: new AbortController().signal,
});
const fail = (what: string, reason: string) => {
  throw new Error(`${what}: ${reason}`);
};

export const exported = async (shards: Shards = LIMITS.shards) =>
  linesOf(exportEverything(optionsOf(redis.open({ shards }))));

export async function* from(lines: string[]) {
  yield* lines;
}

export const imported = (
  lines: AsyncIterable<string>,
  { shards = LIMITS.shards.count, client = target, hasJobs = false } = {},
) =>
  importLines(lines, {
    redis: client,
    limits: { ...LIMITS, shards },
    hasJobs: async () => hasJobs,
    onProgress() {},
  });

/** Seeded sends, batches, commands, acks, trims, users, channels and records. @returns the store that wrote them */
export async function seedData(shards: Shards = LIMITS.shards): Promise<Store> {
  const random = seededRandom();
  const store = redis.open({ shards, logRetention: 12, inboxMax: 15, inboxKeep: 3 });
  const users = names(30);
  const send = store.appender('send.0');
  const fanOut = store.appender('fanout.0');
  for (const id of upTo(200)) {
    const [one, other] = [`u${random.whole(0, 4)}`, `u${random.whole(5, 9)}`];
    const ch = random.next() < 0.5 ? `2:room${random.whole(0, 3)}` : channelName(1, one, other);
    const isCommand = ch.startsWith('1:') && random.next() < 0.5;
    await send.appendMessages(jobRun(`single-${id}`), [
      message(id, {
        from: one,
        ch,
        payload: base64(random.next() < 0.3 ? 'no JSON' : JSON.stringify({ content: `第 ${id}` })),
        red: random.whole(0, 1),
        set: random.whole(0, 255),
        ...(random.next() < 0.2 ? { exp: 6000 } : {}),
        ...(random.next() < 0.2 ? { topic: 'news', stream: 's' } : {}),
        ...(random.next() < 0.5 ? { idem: `hash${id}`, digest: 'digest' } : {}),
        ...(isCommand ? { cmd: 1 } : {}),
      }),
    ]);
  }
  for (const id of upTo(20)) {
    const command = id % 3 === 0;
    const ref = refOf(10_000 * id);
    const broadcast = batch(10_000 * id, { from: 'news', ...(id % 4 === 0 ? { exp: 600 } : {}) }, command);
    const to = users.slice(0, random.whole(5, 30));
    await store.progress.open(ref, {
      total: to.length,
      toStore: true,
      createdAt: now(),
      firstAt: 0,
      refused: { invalid: [], unknown: [] },
    });
    await store.bodies.write(ref, broadcast, to.length);
    await store.bodies.confirm(ref, broadcast.body);
    await store.late.mark(ref, [1, 3]);
    await fanOut.appendReferences(
      jobRun(`batch-${id}`),
      { ref, from: 'news', command },
      recipients(to, 'news', command, shards),
    );
    await store.progress.chunksStored(ref, [{ chunk: 0, size: to.length }], []);
    await store.trimmer.flush();
  }
  for (const [i, uid] of users.entries()) {
    if (i % 2 === 0) await store.users.register({ uid, tokenHash: `hash ${uid}`, deviceFlag: i % 3, deviceLevel: 1 });
    if (i % 3 === 0) await store.inboxes.acknowledge(uid, random.whole(1, 8));
  }
  for (const id of ['room0', 'room1', '组']) {
    await store.channels.putInfo(2, id, { large: 1, ban: 0, disband: 0, send_ban: 0, allow_stranger: 0 });
    await store.channels.addSubscribers(
      2,
      id,
      users.filter(() => random.next() < 0.6),
    );
  }
  await store.idempotency.claim(shard('ann', shards), 'queued', { id: 1, ts: now(), digest: 'd' });
  // A log whose messages have all expired, and an inbox that is emptied.
  await redis.client.set(keys.seq(shard('2:silent', shards), '2:silent'), '17');
  await redis.client.mset({
    [keys.inboxSeq(shard('quiet', shards), 'quiet')]: '9',
    [keys.cursor(shard('quiet', shards), 'quiet')]: '9',
  });
  await redis.client.hset(keys.meta, {
    shards: shards.count,
    schema: SCHEMA,
    ...(shards === LIMITS.shards ? { tags: 'even' } : {}),
  });
  await store.ids.one();
  return store;
}
