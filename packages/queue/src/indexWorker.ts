import { IndexJob } from '@ruyi/contracts';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { INDEX_QUEUE } from './names.ts';

const JOBS_IN_FLIGHT = 64;

/**
 * Works the index queue, many jobs at once: their order does not matter, documents never change. The handler goes on
 * until the engine has taken the job's documents; it rejects only when the process stops.
 */
export function openIndexWorker(
  connection: Redis,
  handle: (job: IndexJob, own: { id: string; addedAt: number }) => Promise<void>,
  signal: AbortSignal,
): { close(force?: boolean): Promise<void> } {
  const worker = new Worker(
    INDEX_QUEUE.name,
    async (job: Job) => {
      const parsed = IndexJob.safeParse(job.data);
      if (!parsed.success) throw new UnrecoverableError(`invalid index job: ${parsed.error.issues[0]?.message}`);
      try {
        await handle(parsed.data, { id: String(job.id), addedAt: job.timestamp });
      } catch (error) {
        if (signal.aborted) await new Promise(() => {});
        throw error;
      }
    },
    {
      connection,
      prefix: INDEX_QUEUE.prefix,
      concurrency: JOBS_IN_FLIGHT,
      lockDuration: 15_000,
      stalledInterval: 5000,
      maxStalledCount: 1_000_000,
      drainDelay: 1,
      runRetryDelay: 500,
      skipVersionCheck: true,
    },
  );
  worker.on('error', () => {});
  return { close: (force) => worker.close(force) };
}
