import { backoffDelay } from '@ruyi/flow';
import { type ClusterSettings, WatchedCluster } from './watchedCluster.ts';

/** Another master is found by a refresh even if no command meets it: SCAN and INFO ask every master. */
const REFRESH_EVERY_MS = 5000;
const REFRESH_TIMEOUT_MS = 1000;
const RETRY_MS = 100;

/**
 * Connects to all masters of a Redis Cluster; any one node tells where the others are.
 * @param redisOptions of the connection to each node: login, TLS, name
 * @param role see connect
 */
export function connectCluster(
  nodes: { host: string; port: number }[],
  redisOptions: ClusterSettings['redisOptions'],
  role: { repeats: boolean; commandTimeoutMs?: number },
): WatchedCluster {
  const settings: ClusterSettings = {
    redisOptions: { ...redisOptions, enableAutoPipelining: false },
    enableAutoPipelining: false,
    clusterRetryStrategy: (times) => backoffDelay(times, { firstMs: 100, longestMs: 1000 }),
    slotsRefreshInterval: REFRESH_EVERY_MS,
    slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
    // While a replica takes the place of its master, nodes send each other's clients back and forth.
    retryDelayOnMoved: 20,
    retryDelayOnClusterDown: RETRY_MS,
    retryDelayOnTryAgain: RETRY_MS,
    // 0: a command whose connection was lost fails, because it may have been executed.
    retryDelayOnFailover: role.repeats ? RETRY_MS : 0,
    maxRedirections: role.repeats ? Number.POSITIVE_INFINITY : 16,
  };
  return new WatchedCluster(nodes, settings, role.commandTimeoutMs);
}
