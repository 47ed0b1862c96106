import type { RedisClient } from './client.ts';

/**
 * Counts how often a connection was lost. A Redis that comes back after a loss of power has forgotten its last moments,
 * so what it answered on an earlier connection may be gone.
 */
export function countConnectionLosses(redis: RedisClient): () => number {
  let losses = 0;
  redis.on('close', () => {
    losses++;
  });
  return () => losses;
}
