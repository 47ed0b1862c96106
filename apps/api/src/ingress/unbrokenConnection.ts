import { UnavailableError } from '@ruyi/contracts';
import type { Store } from '@ruyi/store';

/**
 * What takes several steps is done and promised only where one connection lasts through all of them: a Redis that comes
 * back after a loss of power may have forgotten the first, so a repeat would not know what the last have queued.
 * @param losses of the connection when the first step began
 * @throws UnavailableError: a repeat completes it
 */
export function requireUnbrokenConnection(store: Store, losses: number): void {
  if (store.connectionLosses() !== losses)
    throw new UnavailableError('the connection to Redis was lost meanwhile, try again');
}
