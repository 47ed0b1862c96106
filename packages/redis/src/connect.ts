import type { Config } from '@ruyi/config';
import { backoffDelay } from '@ruyi/flow';
import { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { connectCluster } from './connectCluster.ts';
import { addressOf, type Options, optionsOf, type RedisSettings } from './connectionOptions.ts';
import { rejectUnanswered } from './rejectUnanswered.ts';

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
 * @param to the settings, or an address alone
 */
export function connect(to: RedisSettings | string, role: ConnectionRole, name: string): RedisClient {
  const settings = typeof to === 'string' ? { redisUrl: to } : to;
  const shared: Options = {
    ...optionsOf(settings),
    connectionName: `ruyi-${name}`,
    enableAutoPipelining: false,
    // Closing while Redis is away must not wait for it.
    disconnectTimeout: 1000,
    retryStrategy: (times) => backoffDelay(times, { firstMs: 100, longestMs: 1000 }),
    // After a failover the old master takes no more writes, but may keep its connections.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  };
  const byRole: Options =
    role === 'request'
      ? { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 1, autoResendUnfulfilledCommands: false }
      : { maxRetriesPerRequest: null };
  const address = addressOf(settings);
  if (address.kind === 'cluster') {
    const { retryStrategy: _, reconnectOnError: __, ...options } = { ...shared, ...byRole };
    const commandTimeoutMs = role === 'request' ? { commandTimeoutMs: COMMAND_TIMEOUT_MS } : {};
    return connectCluster(address.nodes, options, { repeats: role === 'background', ...commandTimeoutMs });
  }
  const redis = new Redis({ ...shared, ...byRole });
  if (role !== 'background') rejectUnanswered(redis);
  return redis;
}

/** A connection that waits for replicas (replicas.ts), and how many of them must have what is written. */
export interface ReplicaWait {
  redis: RedisClient;
  replicas: number;
}

/** @returns undefined if REDIS_WAIT is 0: nobody waits then */
export function connectForReplicas(
  settings: RedisSettings & Pick<Config, 'redisWait'>,
  name: string,
): ReplicaWait | undefined {
  const { redisWait: replicas } = settings;
  return replicas === 0 ? undefined : { redis: connect(settings, 'request', `${name}-replicas`), replicas };
}
