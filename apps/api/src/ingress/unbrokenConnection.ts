import { UnavailableError } from '@ruyi/contracts';
import type { Store } from '@ruyi/store';

/**
 * To be called between the steps of a request that writes several times, and before its answer: all steps must have used
 * one connection. A Redis that comes back after a loss of power may have forgotten the first step, so a repeat would not
 * know what the later steps have queued.
 * @param losses how often the connection had been lost when the first step began
 * @throws UnavailableError, and a repeat completes the request
 */
export function requireUnbrokenConnection(store: Store, losses: number): void {
  if (store.connectionLosses() !== losses)
    throw new UnavailableError('the connection to Redis was lost meanwhile, try again');
}

/**
 * Resolves once REDIS_WAIT replicas have what a request wrote under these keys. To be called before its answer.
 * @param losses how often the connection had been lost when the first step began
 * @throws UnavailableError or ReplicasLateError (503): whether the request takes effect is unknown, a repeat completes it
 */
export async function requireReplicas(store: Store, keys: string[], losses: number): Promise<void> {
  if (store.replicas.count === 0) return;
  await store.replicas.confirm(keys);
  requireUnbrokenConnection(store, losses);
}
