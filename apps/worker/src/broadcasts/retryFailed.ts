import type { BroadcastRecord } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';

export async function retryFailed(_context: CoordinatorContext, _record: BroadcastRecord): Promise<void> {}
