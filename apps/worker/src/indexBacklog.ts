import { every } from '@ruyi/flow';
import { type Queues, waitingRecipients } from '@ruyi/queue';
import type { Store } from '@ruyi/store';
import { firstFailure, type Logger } from '@ruyi/telemetry';

const LOOK_EVERY_MS = 1000;

interface IndexBacklog {
  /** false while too much waits to be indexed (INDEX_BACKLOG), as it was measured last */
  hasRoom(): boolean;
  stop(): Promise<void>;
}

/** Measures every second how many recipients wait to be indexed, in outboxes and on the index queue. */
export function watchIndexBacklog(store: Store, queues: Queues, most: number, log: Logger): IndexBacklog {
  let waiting = 0;
  const measure = async () => {
    const onQueue = await waitingRecipients(queues.redis, queues.index);
    waiting = onQueue + (await store.outboxes.recipients());
  };
  const stop = every(LOOK_EVERY_MS, measure, firstFailure(log, 'what waits to be indexed is not measured'));
  return { hasRoom: () => waiting < most, stop };
}
