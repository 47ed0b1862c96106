import { channelName, type SendItem } from '@ruyi/contracts';
import { type IndexJob, planBroadcast } from '@ruyi/queue';
import { connect, type RedisClient } from '@ruyi/redis';
import { accessKey, type SearchDocument, type SearchEngine, type SearchQuery } from '@ruyi/search';
import { type Broadcast, chunkRecipients, createStore, evenShards, type Store, type StoreLimits } from '@ruyi/store';
import { expectNoLeaks, type Random, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { rebuildFromRedis } from '../src/rebuild.ts';

const LANES = 2;
export const LIMITS: StoreLimits = {
  shards: evenShards(8),
  logRetention: 0,
  logMaxAge: 0,
  inboxMax: 1000,
  inboxKeep: 100,
  idempotencyTtl: 3600,
};

export const now = () => Math.floor(Date.now() / 1000);
export const payload = (fields: object | string) =>
  Buffer.from(typeof fields === 'string' ? fields : JSON.stringify(fields)).toString('base64');
export const uidKey = (uid: string) => accessKey('uid', uid);
export const groupKey = (channel: string) => accessKey('channel', channel);

/** One redis-server for the file, empty at the start of each test. */
export function testStores() {
  let redis: TestRedis;
  const connections: RedisClient[] = [];
  const open = () => {
    const connection = connect(redis.url, 'background', 'test');
    connection.on('error', () => {});
    connections.push(connection);
    return connection;
  };
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => redis.client.flushall());
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.disconnect();
  });
  afterAll(async () => {
    await redis.stop();
    expectNoLeaks();
  });
  return {
    get redis() {
      return redis;
    },
    connect: open,
    open: (limits: Partial<StoreLimits> = {}): Store => createStore(open(), { ...LIMITS, ...limits }),
  };
}

const run = (jobId: string) => ({
  jobId,
  extendLock: async () => true,
  signal: new AbortController().signal,
  careful: false,
});

let jobs = 0;

/** Stores single messages as a worker does. @returns the index job that the worker would queue */
export async function storeMessages(store: Store, messages: Partial<SendItem>[]): Promise<IndexJob> {
  const items: SendItem[] = [];
  for (const message of messages) {
    const id = await store.ids.one();
    items.push({ id, ts: now(), from: 'ann', no: `n${id}`, payload: payload({}), ch: '2:room', ...message });
  }
  const stored = await store.appender('send.0').appendMessages(run(`s${++jobs}`), items);
  return { logs: stored.map(({ item, seq }) => ({ ch: item.ch, seqs: [seq] })) };
}

/**
 * The same for a batch. Only recipients that `only` accepts get it in Redis; the job names all. `note`: whether its
 * chunks are noted as stored.
 */
export async function storeBatch(
  store: Store,
  to: string[],
  body: Partial<Broadcast['body']>,
  { only = () => true, note = true }: { only?: (uid: string) => boolean; note?: boolean } = {},
): Promise<{ ref: string; jobs: IndexJob[] }> {
  const id = await store.ids.block(to.length);
  const whole = { id, ts: now(), from: 'news', no: `n${id}`, payload: payload({}), ...body };
  const layout = { shards: LIMITS.shards.count, lanes: LANES };
  const plan = planBroadcast({ firstId: id, from: whole.from, cmd: false }, to, layout);
  const planned = { total: to.length, toStore: true, createdAt: whole.ts, firstAt: 0 };
  await store.progress.open(plan.ref, { ...planned, refused: { fail_uids: [], reason: [] } });
  await store.bodies.write(plan.ref, { body: whole, kind: 'batch', cmd: false, starts: plan.starts }, to.length);
  await store.bodies.confirm(plan.ref, whole);
  for (const { data, id: jobId, lane } of plan.jobs) {
    const recipients = data.chunks.flatMap(chunkRecipients).filter(({ uid }) => only(uid));
    const call = { ref: plan.ref, from: whole.from, command: false };
    await store.appender(`fanout.${lane}`).appendReferences(run(jobId), call, recipients);
    const sizes = data.chunks.map((chunk) => ({ chunk: chunk.chunk, size: chunkRecipients(chunk).length }));
    if (note) await store.progress.chunksStored(plan.ref, sizes, []);
  }
  return {
    ref: plan.ref,
    jobs: plan.jobs.map(({ data }) => ({ broadcast: { ref: plan.ref, chunks: data.chunks } })),
  };
}

/** What is expected of a document: who may find it, and by which content. */
export interface Sent {
  id: string;
  uids: string[];
  group?: string;
  content: string;
}

const WORDS = ['北京', '北京大学', '上海的天气', '你好 hello', '京大', '海', ''] as const;
const USERS = ['u0', 'u1', 'u2', 'U1', '用户'] as const;

/** Messages of every kind, between a few users and in a few groups with similar names. */
export async function storeAtRandom(store: Store, random: Random, count: number) {
  const sent: Sent[] = [];
  const jobs: IndexJob[] = [];
  for (let i = 0; i < count; i++) {
    const from = random.pick(USERS);
    const content = random.pick(WORDS);
    const text = content === '' ? payload('no object') : payload({ type: 1, content, title: random.pick(WORDS) });
    const kind = random.next();
    if (kind < 0.15) {
      const to = USERS.filter((uid) => uid !== from && random.next() < 0.7);
      if (to.length === 0) continue;
      const batch = await storeBatch(store, to, { from, payload: text });
      jobs.push(...batch.jobs);
      for (const { chunk, uids } of batch.jobs.flatMap(({ broadcast }) => broadcast?.chunks ?? [])) {
        sent.push({ id: `${batch.ref}-${chunk}`, uids: uids.split('\n'), content });
      }
      continue;
    }
    const peer = random.pick(USERS);
    const group = channelName(random.whole(2, 3), random.pick(['room', 'Room', '1'] as const));
    const isPersonal = kind < 0.6;
    const ch = isPersonal ? channelName(1, peer, from) : group;
    const id = await store.ids.one();
    jobs.push(await storeMessages(store, [{ id, from, ch, payload: text, ...(kind < 0.3 ? { topic: 'news' } : {}) }]));
    const place = isPersonal ? { uids: [...new Set([from, peer])] } : { uids: [from], group };
    sent.push({ id: `m${id}`, ...place, content });
  }
  return { sent, jobs, users: USERS, words: WORDS };
}

/** The documents that a rebuild makes, in the order in which it adds them to the index. */
export async function rebuilt(
  store: Store,
  directory: string,
  take: (documents: SearchDocument[]) => Promise<void> = async () => {},
  id = 'rebuild',
): Promise<SearchDocument[]> {
  const documents: SearchDocument[] = [];
  const signal = new AbortController().signal;
  const keep = async (some: SearchDocument[]) => {
    await take(some);
    documents.push(...some);
  };
  await rebuildFromRedis({ store, directory, id, resume: false, take: keep, signal });
  return documents;
}

export const byId = (documents: SearchDocument[]) => documents.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The ids of the messages that a member of these groups finds. */
export async function found(
  engine: SearchEngine,
  uid: string,
  query: Partial<SearchQuery> = {},
  groups: string[] = [],
): Promise<string[]> {
  const { hits } = await engine.search({
    audience: [uidKey(uid), ...groups.map(groupKey)],
    text: {},
    payloadTypes: [],
    startTime: 0,
    endTime: 0,
    now: now(),
    offset: 0,
    limit: 1000,
    locate: [],
    ...query,
  });
  return hits.map(({ id }) => id).sort();
}
