import type { Random, TestRedis } from '@ruyi/testkit';
import type { Cluster, Redis } from 'ioredis';
import type { TcpProxy } from './proxy.ts';

/** One redis-server that can be harmed. */
export interface RedisNode {
  /** A client for this node alone; its commands wait while the node is away. */
  readonly client: Redis | Cluster;
  /** its data folder */
  readonly dir: string;
  /** Sends a signal; after SIGKILL it resolves when the node is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again with its data, on the same port. */
  start(): Promise<void>;
}

/** The Redis of an installation, as faults see it: one redis-server, or the nodes of a cluster. */
export interface TorturedRedis {
  /** for the report */
  readonly name: string;
  /** REDIS_URL of the processes, and what else they must be set to; leads through the proxies */
  readonly settings: Record<string, string>;
  /** one in front of each node */
  readonly proxies: TcpProxy[];
  /** A client for all keys, past the proxies; its commands wait while Redis is away. */
  readonly client: Redis | Cluster;
  /** for how long a killed node stays away at most: a replica, if there is one, has the time to take its place */
  readonly longestAwayMs: number;
  readonly nodes: readonly RedisNode[];
  /** the only server, with its append-only file; undefined in a cluster */
  readonly only?: TestRedis;
  /** The nodes that take writes now. All nodes must be running. */
  masters(): Promise<RedisNode[]>;
  /** Lets a master answer, but refuse writes. @returns what ends it */
  makeReadOnly(master: RedisNode): Promise<() => Promise<void>>;
  /** A client that gives up soon while Redis, or a part of it, is away. Its caller ends it. */
  openWatch(): Redis | Cluster;
  /**
   * Resolves when every node serves and every replica has what its master has. Until then the death of another node may
   * lose what was acknowledged.
   * @throws Error if that takes more than a minute
   */
  whole(): Promise<void>;
  /** Ends nodes, proxies and clients, and removes their folders. */
  stop(): Promise<void>;
}

/** One of the masters, as the seed decides. */
export async function someMaster(redis: TorturedRedis, random: Random): Promise<RedisNode> {
  const masters = await redis.masters();
  const master = masters[random.whole(0, masters.length - 1)];
  if (!master) throw new Error('no node of Redis takes writes');
  return master;
}
