import type { Cluster, Redis } from 'ioredis';
import { startCluster } from './redisCluster.ts';
import { startRedisProcess } from './redisProcess.ts';

export interface RedisOptions {
  /** AOF with `everysec`; off by default */
  appendonly?: boolean;
  /** with `noeviction`; e.g. '64mb' */
  maxmemory?: string;
  /** more arguments, e.g. ['--appendfsync', 'always'] */
  args?: string[];
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** its data folder */
  readonly dir: string;
  /** of the running server; changes with restart() */
  readonly pid: number;
  /** A client for looking at keys; stop() ends it. */
  readonly client: Redis | Cluster;
  /** Sends a signal (SIGKILL by default); after a fatal one it resolves when the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the server again, on the same port and data; stops it first (SIGTERM) if it runs. */
  restart(): Promise<void>;
  /** Ends server and client and removes the folder. */
  stop(): Promise<void>;
}

/**
 * Starts a real redis-server on a free loopback port with a new data folder. It ends with the test process. Resolves
 * when it answers PING. With RUYI_TEST_CLUSTER=1 it is a Redis Cluster of three masters instead, so that suites can be run on
 * one as well.
 * @throws Error in one line if redis-server is not installed
 */
export async function startRedis({
  appendonly = false,
  maxmemory = '0',
  args = [],
}: RedisOptions = {}): Promise<TestRedis> {
  if (process.env.RUYI_TEST_CLUSTER === '1') return asOneRedis(appendonly, ['--maxmemory', maxmemory, ...args]);
  const server = await startRedisProcess('redis', {
    maxmemory,
    args: ['--appendonly', appendonly ? 'yes' : 'no', ...args],
  });
  return {
    url: `redis://127.0.0.1:${server.port}`,
    port: server.port,
    dir: server.dir,
    client: server.client,
    get pid() {
      return server.pid;
    },
    kill: server.kill,
    async restart() {
      await server.kill('SIGTERM');
      await server.start();
    },
    stop: server.stop,
  };
}

async function asOneRedis(appendonly: boolean, args: string[]): Promise<TestRedis> {
  const cluster = await startCluster({ replicasPerMaster: 0, appendonly, args });
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('a cluster has nodes');
  const kill = async (signal?: NodeJS.Signals) => {
    await Promise.all(cluster.nodes.map((node) => node.kill(signal)));
  };
  return {
    url: cluster.url,
    port: first.port,
    pid: first.pid,
    dir: '',
    client: onEveryMaster(cluster.client),
    kill,
    async restart() {
      await kill('SIGTERM');
      await Promise.all(cluster.nodes.map((node) => node.start()));
    },
    stop: cluster.stop,
  };
}

/** The client, with what a test asks of all keys asked of every master. */
const onEveryMaster = (client: Cluster): Cluster =>
  new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'flushall' && property !== 'keys') return value.bind(target);
      return async (...args: unknown[]) => {
        const masters = target.nodes('master');
        const replies = await Promise.all(
          masters.map((node) => Reflect.apply(Reflect.get(node, property), node, args)),
        );
        return replies.flat();
      };
    },
  });
