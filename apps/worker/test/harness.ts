import { loadConfig } from '@ruyi/config';
import { type SendItem, SYSTEM_UID } from '@ruyi/contracts';
import { DeadLetters, LANE_KINDS, limitLanes, openQueues, Producer, planBroadcast, type Queues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { createStore, evenShards, keys, type Reference, type Store, type StoreLimits, shardOf } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { expectNoLeaks, startRedis, type TestRedis, unexpectedKeys, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { startWorker } from '../src/worker.ts';

export const LANES = 2;
export const LIMITS: StoreLimits = {
  shards: evenShards(8),
  logRetention: 0,
  logMaxAge: 0,
  inboxMax: 1000,
  inboxKeep: 100,
  idempotencyTtl: 3600,
};
const OUR_KEYS = /^(r:|\{r\.(send|fanout|index|broadcasts|dead)\b)/;

type Connection = ReturnType<typeof connect>;

export interface TestLanes {
  readonly redis: TestRedis;
  readonly client: Connection;
  readonly store: Store;
  readonly queues: Queues;
  readonly producer: Producer;
  connect(): Connection;
  /** Starts a worker in this process, as its main.ts does. */
  work(): Promise<void>;
  /** Ends the workers that `work` started. */
  rest(): Promise<void>;
  /** Resolves when no lane holds a job. */
  settled(): Promise<void>;
  /** The dead letters: queue, name, reason, and the job that would run again. */
  letters(): Promise<{ id: string; data: unknown }[]>;
  /** What `ruyi dead retry <id> --wait` does. */
  retry(id: string): Promise<'done' | 'failed'>;
}

/** One redis-server for the file; empty, with new connections, at the start of each test. */
export function testLanes(lanes = LANES): TestLanes {
  let redis: TestRedis;
  let store: Store;
  let queues: Queues;
  let producer: Producer;
  const connections: Connection[] = [];
  const working: { close(): Promise<void> }[] = [];
  const open = () => {
    const connection = connect(redis.url, 'background', 'test');
    connection.on('error', () => {});
    connections.push(connection);
    return connection;
  };
  const rest = async () => {
    await Promise.all(working.splice(0).map((one) => one.close()));
  };
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    await redis.client.flushall();
    store = createStore(open(), LIMITS);
    queues = openQueues(open(), lanes);
    producer = new Producer(queues, LIMITS.shards.count);
    await limitLanes(queues);
  });
  afterEach(async () => {
    await rest();
    await queues.close();
    expect(await unexpectedKeys(redis.client, OUR_KEYS)).toEqual([]);
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
    get client() {
      return redis.client;
    },
    get store() {
      return store;
    },
    get queues() {
      return queues;
    },
    get producer() {
      return producer;
    },
    connect: open,
    rest,
    async work() {
      const settings = { REDIS_URL: redis.url, SHARDS: String(LIMITS.shards.count), LANES: String(lanes) };
      working.push(await startWorker(loadConfig(settings), createLog('worker', 'silent')));
    },
    async settled() {
      await waitFor(async () => (await jobsOnLanes(queues)) === 0, {
        what: 'the lanes to be empty',
        deadlineMs: 30_000,
      });
    },
    async letters() {
      const failed = await queues.dead.getFailed();
      return failed.map(({ id = '', data }) => ({ id, data }));
    },
    async retry(id) {
      const dead = new DeadLetters(queues, LIMITS.shards);
      const retry = await dead.retry(id);
      if ('refused' in retry) throw new Error(retry.refused);
      await waitFor(async () => (await dead.outcome(retry)) !== 'running', { what: 'the retry to end' });
      return (await dead.outcome(retry)) === 'done' ? 'done' : 'failed';
    },
  };
}

/** How many jobs wait on lanes or are running. */
export async function jobsOnLanes(queues: Queues): Promise<number> {
  const lanes = LANE_KINDS.flatMap((kind) =>
    Array.from({ length: queues.lanes }, (_, lane) => queues.lane(kind, lane)),
  );
  const counts = await Promise.all(lanes.map((queue) => queue.getJobCountByTypes('wait', 'prioritized', 'active')));
  return counts.reduce((sum, n) => sum + n, 0);
}

const now = () => Math.floor(Date.now() / 1000);
const base64 = (text: string) => Buffer.from(text).toString('base64');
export const names = (count: number, prefix = 'u') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

export function message(id: number, overrides: Partial<SendItem> = {}): SendItem {
  return { id, ts: now(), from: 'ann', payload: base64(`message ${id}`), no: `no-${id}`, ch: '2:room', ...overrides };
}

/** What waits to be indexed, the oldest of each shard first. */
export async function waitingReferences(store: Store): Promise<Reference[]> {
  const pages = await Promise.all(store.layout.shards.tags.map((shard) => store.outboxes.read(shard)));
  return pages.flatMap((page) => page?.references ?? []);
}

/** The message ids of a log in order, and their seqs. */
export async function logOf(client: Connection, channel: string): Promise<{ ids: number[]; seqs: number[] }> {
  const page = await client.zrange(keys.log(shardOf(channel, LIMITS.shards), channel), '0', '-1', 'WITHSCORES');
  const entries = page.filter((_, i) => i % 2 === 0).map((entry) => JSON.parse(entry));
  return { ids: entries.map(([id]) => id), seqs: page.filter((_, i) => i % 2 === 1).map(Number) };
}

/** Accepts a batch as the API does: plans it and writes its body. Its jobs are not queued yet. */
export async function acceptBatch(store: Store, to: string[], { cmd = false, from = SYSTEM_UID, lanes = LANES } = {}) {
  const firstId = await store.ids.block(to.length);
  const plan = planBroadcast({ firstId, from, cmd }, to, { shards: LIMITS.shards.count, lanes });
  const { ch: _, ...body } = message(firstId, { from });
  const refused = { fail_uids: [], reason: [] };
  await store.progress.open(plan.ref, { total: to.length, toStore: true, createdAt: body.ts, firstAt: 0, refused });
  await store.bodies.write(plan.ref, { body, kind: 'batch', cmd, starts: plan.starts }, to.length);
  return plan;
}

const SIGNS_OF_LIFE: string[] = [
  keys.workers,
  keys.members,
  keys.memberFacts,
  keys.tended,
  keys.sweeper,
  keys.reports,
  'r:{reports}:',
];
const OUTBOX = /^r:\{\w+\}:(outbox|outcounts)$/;

/**
 * The content of every key except those of queues, outboxes and signs of life: two equal pictures mean that nothing was written
 * but what is to be indexed once more.
 */
export async function picture(client: Connection): Promise<Record<string, string>> {
  const all = (await client.keys('r:*'))
    .filter((key) => !OUTBOX.test(key) && !SIGNS_OF_LIFE.some((sign) => key.startsWith(sign)))
    .sort();
  const dumps = await Promise.all(all.map((key) => client.dumpBuffer(key)));
  return Object.fromEntries(all.map((key, i) => [key, dumps[i]?.toString('base64') ?? '']));
}
