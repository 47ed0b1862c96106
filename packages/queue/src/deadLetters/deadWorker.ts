import type { RedisClient } from '@ruyi/redis';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { DEAD } from '../jobs.ts';
import { DEAD_QUEUE } from '../names.ts';

/**
 * The worker of the dead letters: it fails each for good, so that the letter lies among the failed jobs. BullMQ's own retry
 * does not try a letter again, because it would leave the queue before it is known how that ends; see retryLetter.ts.
 */
export function openDeadLetters(connection: RedisClient): { close(): Promise<void> } {
  const worker = new Worker(
    DEAD_QUEUE.name,
    async (job: Job) => {
      throw new UnrecoverableError(DEAD.schema.safeParse(job.data).data?.reason ?? 'the dead letter is damaged');
    },
    { connection, prefix: DEAD_QUEUE.prefix, concurrency: 1, lockDuration: 5000, stalledInterval: 5000 },
  );
  worker.on('error', () => {});
  return { close: () => worker.close() };
}
