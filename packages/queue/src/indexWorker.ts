import { countConnectionLosses, untilServed } from '@ruyi/redis';
import type { Store } from '@ruyi/store';
import { type Job, Worker } from 'bullmq';
import { beforeCompletion } from './bullmqInternals.ts';
import {
  addDeadLetter,
  healUnreadable,
  isDeadLettered,
  retriedIn,
  settleRetried,
  withoutRetried,
} from './deadLetters/recordDeadLetters.ts';
import { INDEX, type IndexJob, WAKE, type WakePage } from './jobs.ts';
import { INDEX_QUEUE, METRICS } from './names.ts';
import type { Queues } from './queues.ts';
import { telemetryOf } from './tracing.ts';

const JOBS_IN_FLIGHT = 64;

interface IndexWorkerOptions {
  /** of this process, among all of the installation */
  name?: string;
  /** over a connection that repeats no command by itself (`worker` of connect) */
  queues: Queues;
  /** what the handler writes to */
  store: Pick<Store, 'connectionLosses'>;
  /**
   * Resolves when the engine has taken the job's documents; rejects only when the process stops.
   * @param origin.addedAt milliseconds, when the messages were stored
   */
  handle(job: IndexJob, origin: { id: string; addedAt: number }): Promise<void>;
  /**
   * Indexes what waits in the outboxes of a group of shards; rejects only when the process stops.
   * @param losses how often a connection was lost so far
   * @param pages what the wake-up tells of them
   */
  drain(group: number, losses: () => number, pages: WakePage[]): Promise<void>;
  /** aborts when the process stops */
  signal: AbortSignal;
  log: { warn(fields: object, text: string): void };
}

/** Works the index queue, many jobs at once. Their order does not matter, because documents never change. */
export function openIndexWorker({ name = '', queues, store, handle, drain, signal, log }: IndexWorkerOptions): {
  close(): Promise<void>;
} {
  const ownLosses = countConnectionLosses(queues.redis);
  const allLosses = () => ownLosses() + store.connectionLosses();
  const work = async (job: Job) => {
    const id = String(job.id);
    if (isDeadLettered(job.data)) return;
    if (job.name === WAKE.name) {
      // An unreadable one is worth nothing: the indexer looks at all outboxes each second.
      const wake = WAKE.schema.safeParse(job.data).data;
      return wake && drain(wake.group, allLosses, wake.pages ?? []);
    }
    const retried = retriedIn(job.data);
    const parsed = INDEX.schema.safeParse(job.data);
    if (parsed.success) await handle(parsed.data, { id, addedAt: job.timestamp });
    else {
      const reason = `invalid index job: ${parsed.error.issues[0]?.message}`;
      log.warn({ queue: INDEX_QUEUE.name, jobId: id, reason }, 'dead letter');
      const letter = { queue: INDEX_QUEUE.name, name: job.name, reason, data: withoutRetried(job.data) };
      await untilServed(() => addDeadLetter(queues, id, letter, { retried }), signal);
    }
    if (retried) await untilServed(() => settleRetried(queues, retried), signal);
  };
  const worker = new Worker(
    INDEX_QUEUE.name,
    async (job: Job) => {
      // A Redis that comes back after a loss of power may have forgotten that the documents were noted: once more, then.
      let losses: number;
      const workUnbroken = async () => {
        do {
          losses = allLosses();
          await work(job);
        } while (losses !== allLosses());
      };
      beforeCompletion(job, queues.redis, () => (losses === allLosses() ? undefined : workUnbroken()));
      try {
        await workUnbroken();
      } catch (error) {
        // The process stops. Another one starts this job again, which it would not do with a failed job.
        if (signal.aborted) await new Promise(() => {});
        throw error;
      }
    },
    {
      name,
      connection: queues.redis,
      prefix: INDEX_QUEUE.prefix,
      metrics: METRICS,
      concurrency: JOBS_IN_FLIGHT,
      lockDuration: 6000,
      stalledInterval: 2000,
      maxStalledCount: 1_000_000,
      drainDelay: 1,
      runRetryDelay: 500,
      skipVersionCheck: true,
      ...telemetryOf(queues.tracing),
    },
  );
  worker.on('error', (err) => log.warn({ err, queue: INDEX_QUEUE.name }, 'index worker'));
  worker.on('failed', (job, err) => {
    log.warn(
      { err, queue: INDEX_QUEUE.name, jobId: job?.id },
      'job failed, it lies among the failed jobs of its queue',
    );
  });
  worker.on('stalled', (jobId) => healUnreadable(queues, queues.index, jobId, log));
  return { close: () => worker.close() };
}
