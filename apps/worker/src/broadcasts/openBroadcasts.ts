import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { openCoordinators, Producer, type Queues } from '@ruyi/queue';
import { confirmation, isNearlyFull } from '@ruyi/redis';
import type { Store } from '@ruyi/store';
import { Counter, firstFailure, type Logger, type ProcessMetrics } from '@ruyi/telemetry';
import { coordinate } from './coordinate.ts';
import type { CoordinatorContext } from './coordinatorContext.ts';
import { tendBroadcasts } from './tendBroadcasts.ts';

const TEND_EVERY_MS = 1000;
const DAY_SECONDS = 86_400;

interface BroadcastsOptions {
  store: Store;
  queues: Queues;
  config: Pick<Config, 'shards' | 'broadcastKeepDays'>;
  metrics: ProcessMetrics;
  log: Logger;
}

/** Coordinates broadcasts in this process, and takes part in looking after all of them. */
export function openBroadcasts({ store, queues, config, metrics, log }: BroadcastsOptions): { close(): Promise<void> } {
  const recipients = new Counter({
    name: 'ruyi_broadcast_recipients_total',
    help: 'recipients of broadcasts that ended, by what became of them',
    labelNames: ['result'] as const,
    registers: [metrics.registry],
  });
  let isMemoryFull = false;
  const context: CoordinatorContext = {
    store,
    queues,
    producer: new Producer(queues, config.shards, confirmation(store.replicas)),
    keepSeconds: config.broadcastKeepDays * DAY_SECONDS,
    isMemoryFull: () => isMemoryFull,
    counted: (result, count) => recipients.inc({ result }, count),
    log,
  };
  const coordinators = openCoordinators({
    name: metrics.process,
    queues,
    store,
    coordinate: (job, signal) => coordinate(context, job, signal),
    percentOf: (no) => percentOf(store, no),
    log,
  });
  const tend = async () => {
    isMemoryFull = isNearlyFull(await store.memory());
    await tendBroadcasts(context);
  };
  const stopTending = every(TEND_EVERY_MS, tend, firstFailure(log, 'nobody looks after broadcasts'));
  return {
    async close() {
      await Promise.all([stopTending(), coordinators.close()]);
    },
  };
}

/** Recipients who have the message or never will, of all; whole percents. */
async function percentOf({ broadcasts, progress }: Store, no: string): Promise<number> {
  const { ref } = (await broadcasts.read(no)) ?? {};
  const counts = ref === undefined ? undefined : await progress.read(ref);
  return counts && counts.total > 0 ? Math.floor((100 * (counts.stored + counts.failed)) / counts.total) : 0;
}
