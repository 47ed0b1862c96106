import type { RedisClient } from './client.ts';
import { WatchedCluster } from './watchedCluster.ts';

/**
 * Calls `listener` whenever the connection is lost, in a cluster that to any node. A Redis that comes back after a loss of
 * power has forgotten its last moments, and so has a replica that takes the place of a master: what was answered on an
 * earlier connection may be gone.
 */
export function onConnectionLost(redis: RedisClient, listener: () => void): void {
  redis.on(redis instanceof WatchedCluster ? 'lost' : 'close', listener);
}

/** Counts how often a connection was lost. */
export function countConnectionLosses(redis: RedisClient): () => number {
  let losses = 0;
  onConnectionLost(redis, () => {
    losses++;
  });
  return () => losses;
}
