import type { RedisClient } from '@ruyi/redis';
import { Outboxes, type Shards, shardsOfInstallation } from '@ruyi/store';
import { INDEX_QUEUE } from './names.ts';
import { type QueueReading, readQueue } from './readQueue.ts';

/** What waits to be indexed: in outboxes, and on the index queue, where dead letters are tried again. */
export interface IndexReading extends QueueReading {
  /** of `jobs`, those in outboxes: a message each, or the recipients of one job of a broadcast */
  references: number;
}

/** @param known the shards of the installation, if the caller knows them */
export async function readIndex(redis: RedisClient, known?: Shards): Promise<IndexReading> {
  const shards = known ?? (await shardsOfInstallation(redis, { shards: 0 }));
  const [outboxes, queue] = await Promise.all([new Outboxes(redis, shards).reading(), readQueue(redis, INDEX_QUEUE)]);
  const times = [queue.oldestAt, outboxes.oldestAt].filter((time) => time !== undefined);
  return {
    jobs: queue.jobs + outboxes.references,
    references: outboxes.references,
    recipients: queue.recipients + outboxes.recipients,
    oldestAt: times.length === 0 ? undefined : Math.min(...times),
    progressAt: queue.progressAt,
  };
}
