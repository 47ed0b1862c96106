import type { RedisClient } from '@ruyi/redis';
import { waitingRecipients } from './backlog.ts';
import { lastProgressAt, oldestAddedAt, queueKeys, unfinishedJobs, waitingJobs } from './bullmqInternals.ts';
import type { QueueName } from './names.ts';

/** What is on a queue. Times are milliseconds, by the clocks of the processes that added and worked the jobs. */
export interface QueueReading {
  /** that wait or are being worked */
  jobs: number;
  /** that wait, about */
  recipients: number;
  /** when the oldest job was added, about; undefined if there is none */
  oldestAt: number | undefined;
  /** when a job was begun or completed last; undefined if none was */
  progressAt: number | undefined;
}

/** Sample of the jobs at each end of a queue among which the oldest one is looked for. */
const SAMPLE = 5;

export async function readQueue(redis: RedisClient, name: QueueName): Promise<QueueReading> {
  const queue = queueKeys(name);
  const [jobs, recipients, { ids }, progressAt] = await Promise.all([
    unfinishedJobs(redis, queue),
    waitingRecipients(redis, queue),
    waitingJobs(redis, queue, SAMPLE),
    lastProgressAt(redis, queue),
  ]);
  return { jobs, recipients, oldestAt: await oldestAddedAt(redis, queue, ids), progressAt };
}
