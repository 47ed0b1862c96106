import { backoffDelay } from '@ruyi/flow';
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisClient } from './client.ts';
import { parseClusterUrl } from './clusterUrl.ts';
import { connectCluster } from './connectCluster.ts';
import { rejectUnanswered } from './rejectUnanswered.ts';
import { parseUnixUrl } from './unixUrl.ts';

/** ioredis types the reply mapping by the constructor's argument, which is always the default here. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** The purpose of a connection decides how it behaves while Redis is away. */
type ConnectionRole =
  /** answers a person: fails within 2 s, never repeats a command whose outcome is unknown */
  | 'request'
  /** works in the background: waits for as long as it takes */
  | 'background'
  /** the same, but a command whose outcome is unknown fails, and its caller checks what is there */
  | 'worker';

const COMMAND_TIMEOUT_MS = 2000;

/**
 * Opens a connection to Redis, at any REDIS_URL that the configuration accepts. Auto-pipelining stays off, because with
 * scripts on a cluster it fails, and an unguarded failure ends the process.
 */
export function connect(url: string, role: ConnectionRole, name: string): RedisClient {
  const shared: Options = {
    connectionName: `ruyi-${name}`,
    enableAutoPipelining: false,
    // Closing while Redis is away must not wait for it.
    disconnectTimeout: 1000,
    retryStrategy: (times) => backoffDelay(times, { firstMs: 100, longestMs: 1000 }),
  };
  const byRole: Options =
    role === 'request'
      ? { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 1, autoResendUnfulfilledCommands: false }
      : { maxRetriesPerRequest: null };
  const cluster = parseClusterUrl(url);
  if (cluster) {
    const { nodes, tls, ...login } = cluster;
    const { retryStrategy: _, ...options } = { ...shared, ...byRole, ...login, ...(tls ? { tls: {} } : {}) };
    const commandTimeoutMs = role === 'request' ? { commandTimeoutMs: COMMAND_TIMEOUT_MS } : {};
    return connectCluster(nodes, options, { repeats: role === 'background', ...commandTimeoutMs });
  }
  const unix = parseUnixUrl(url);
  const redis = unix ? new Redis({ ...shared, ...byRole, ...unix }) : new Redis(url, { ...shared, ...byRole });
  if (role !== 'background') rejectUnanswered(redis);
  return redis;
}

/** A connection that waits for replicas (replicas.ts), and how many of them must have what is written. */
export interface ReplicaWait {
  redis: RedisClient;
  replicas: number;
}

/** @returns undefined if REDIS_WAIT is 0: nobody waits then */
export function connectForReplicas(url: string, replicas: number, name: string): ReplicaWait | undefined {
  return replicas === 0 ? undefined : { redis: connect(url, 'request', `${name}-replicas`), replicas };
}
