import { type SendItem, SYSTEM_UID } from '@ruyi/contracts';
import {
  LANE_KINDS,
  type LaneHandler,
  type LaneKind,
  LaneWorkers,
  limitLanes,
  openDeadLetters,
  openQueues,
  Producer,
  planBroadcast,
  type Queues,
} from '@ruyi/queue';
import { connect, type RedisClient } from '@ruyi/redis';
import { createStore, evenShards, keys, type Store, type StoreLimits } from '@ruyi/store';
import { expectNoLeaks, startRedis, type TestRedis, unexpectedKeys, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

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
const silent = { info() {}, warn() {} };
const fail = (error: Error) => {
  throw error;
};
const completing = (): LaneHandler => async () => {};

export interface TestLanes {
  readonly redis: TestRedis;
  readonly client: RedisClient;
  readonly store: Store;
  readonly queues: Queues;
  readonly producer: Producer;
  connect(): RedisClient;
  /** Works the lanes in this process, with a handler that completes every job unless there is another one. */
  work(handler?: (kind: LaneKind, lane: number, name: string) => LaneHandler): LaneWorkers;
  /** Ends what `work` began. */
  rest(): Promise<void>;
  /** Resolves when no lane holds a job. */
  settled(): Promise<void>;
  /** What was set aside: queue, name, reason and what would be done again. */
  letters(): Promise<{ id: string; data: unknown }[]>;
}

/** One redis-server for the file; empty, with new connections, at the start of each test. */
export function testLanes(lanes = LANES): TestLanes {
  let redis: TestRedis;
  let store: Store;
  let queues: Queues;
  let producer: Producer;
  const connections: RedisClient[] = [];
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
    await redis.client.hset(keys.meta, { lanes, tags: 'even' });
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
    work(handler = completing) {
      const workers = new LaneWorkers({
        name: `worker-${working.length}`,
        connection: open(),
        store,
        queues,
        handler,
        log: silent,
        onOutdated: fail,
      });
      workers.start();
      working.push({ close: () => workers.close(2000) }, openDeadLetters(open()));
      return workers;
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
  };
}

/** Jobs that wait on lanes or are being worked. */
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

/** A batch, accepted the way the API does it: planned and its body written, its jobs not yet queued. */
export async function acceptBatch(store: Store, to: string[], { cmd = false, from = SYSTEM_UID, lanes = LANES } = {}) {
  const firstId = await store.ids.block(to.length);
  const plan = planBroadcast({ firstId, from, cmd }, to, { shards: LIMITS.shards.count, lanes });
  const { ch: _, ...body } = message(firstId, { from });
  const refused = { fail_uids: [], reason: [] };
  await store.progress.open(plan.ref, { total: to.length, toStore: true, createdAt: body.ts, firstAt: 0, refused });
  await store.bodies.write(plan.ref, { body, kind: 'batch', cmd, starts: plan.starts }, to.length);
  return plan;
}
