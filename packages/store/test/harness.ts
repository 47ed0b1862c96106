import { channelName, type SendItem } from '@ruyi/contracts';
import { connect, type RedisClient } from '@ruyi/redis';
import {
  type Broadcast,
  createStore,
  evenShards,
  type JobRun,
  keys,
  type Recipient,
  type Store,
  type StoreLimits,
  shardNumber,
  shardOf,
} from '@ruyi/store';
import { type Around, expectNoLeaks, intercepted, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

export const LIMITS: StoreLimits = {
  shards: evenShards(4),
  logRetention: 0,
  logMaxAge: 0,
  inboxMax: 1000,
  inboxKeep: 100,
  idempotencyTtl: 3600,
};

export const now = () => Math.floor(Date.now() / 1000);
export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Scripts that store messages: what a test sees of a store, unless it names other commands. */
const APPENDS = ['appendMessages', 'appendReferences'];

export interface TestStores {
  /** for looking at keys */
  readonly client: RedisClient;
  readonly server: TestRedis;
  /** A store as another process has it: over a connection of its own; `around` stands before its calls. */
  open(limits?: Partial<StoreLimits>, around?: Around, isSeen?: (command: string) => boolean): Store;
}

/** One redis-server for the file, empty at the start of each test. */
export function testStores(): TestStores {
  let server: TestRedis;
  const opened: RedisClient[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => server.client.flushall());
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.disconnect();
  });
  afterAll(async () => {
    await server.stop();
    expectNoLeaks();
  });
  return {
    get client() {
      return server.client;
    },
    get server() {
      return server;
    },
    open(limits = {}, around, isSeen = (command) => APPENDS.includes(command)) {
      const connection = connect(server.url, 'background', 'test');
      connection.on('error', () => {});
      opened.push(connection);
      return createStore(around ? intercepted(connection, isSeen, around) : connection, { ...LIMITS, ...limits });
    },
  };
}

/** A run of a job whose lock is good, unless told otherwise. */
export function jobRun(jobId: string, overrides: Partial<JobRun> = {}): JobRun {
  return {
    jobId,
    extendLock: async () => true,
    signal: new AbortController().signal,
    careful: false,
    ...overrides,
  };
}

export function message(id: number, overrides: Partial<SendItem> = {}): SendItem {
  return { id, ts: now(), from: 'ann', payload: base64(`message ${id}`), no: `no-${id}`, ch: '2:room', ...overrides };
}

/** A batch as the ingress writes it: the body under its ref. */
export function batch(firstId: number, overrides: Partial<Broadcast['body']> = {}, cmd = false): Broadcast {
  const { ch: _, ...body } = message(firstId, overrides);
  return { body, kind: 'batch', cmd, starts: [0] };
}

/** Recipients in the order in which a batch numbers them: by shard, so that a call's positions rise by one. */
export function recipients(uids: string[], from: string, command: boolean, shards = LIMITS.shards): Recipient[] {
  const shard = (uid: string) => shardNumber(command ? uid : channelName(1, uid, from), shards.count);
  return [...uids].sort((a, b) => shard(a) - shard(b)).map((uid, position) => ({ uid, position }));
}

export const names = (count: number, prefix = 'u') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** A log as it is stored. */
export async function logOf(client: RedisClient, channel: string, shards = LIMITS.shards) {
  const page = await client.zrange(keys.log(shardOf(channel, shards), channel), '0', '-1', 'WITHSCORES');
  return page.flatMap((entry, i) => (i % 2 === 0 ? [{ entry, seq: Number(page[i + 1]) }] : []));
}

/** An inbox as it is stored, with the seq of its newest command. */
export async function inboxOf(client: RedisClient, uid: string, shards = LIMITS.shards) {
  const shard = shardOf(uid, shards);
  const entries = await client.lrange(keys.inbox(shard, uid), 0, -1);
  return { entries, newest: Number((await client.get(keys.inboxSeq(shard, uid))) ?? entries.length) };
}

/** What waits in the outboxes of all shards, without the times at which it was stored. */
export async function referencesIn(client: RedisClient, shards = LIMITS.shards): Promise<string[]> {
  const lists = await Promise.all(shards.tags.map((shard) => client.lrange(keys.outbox(shard), 0, -1)));
  return lists.flat().map(withoutTime);
}

const withoutTime = (reference: string) => reference.replace(/^\w+ /, '');

/**
 * Every key with its content: two equal pictures mean that nothing was written in between. Two runs of a job write the same
 * references, but at another time.
 */
export async function picture(client: RedisClient): Promise<Record<string, string>> {
  const all = (await client.keys('*')).sort();
  const contents = await Promise.all(
    all.map(async (key) =>
      key.endsWith(':outbox')
        ? (await client.lrange(key, 0, -1)).map(withoutTime).join()
        : (await client.dumpBuffer(key))?.toString('base64'),
    ),
  );
  return Object.fromEntries(all.map((key, i) => [key, contents[i] ?? '']));
}

export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
