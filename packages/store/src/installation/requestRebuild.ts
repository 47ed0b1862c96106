import { keys } from '../keys.ts';
import type { Store } from '../store.ts';

/**
 * Requests a rebuild of the search index, so that REDIS_WAIT replicas know it too: nobody else would ask for it.
 * @param how.fresh into a new index, beside the one that serves
 * @throws ReplicasLateError (transient)
 */
export const requestRebuild = (
  { durably, rebuilds }: Pick<Store, 'durably' | 'rebuilds'>,
  reason: string,
  how?: { fresh?: boolean },
): Promise<void> => durably([keys.rebuild], () => rebuilds.request(reason, how));
