import { every } from '@ruyi/flow';
import { ConnectionEpochs, onConnectionLost } from '@ruyi/redis';
import type { Store } from '@ruyi/store';
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import { healUnreadable, isDeadLettered } from './deadLetters/recordDeadLetters.ts';
import { COORDINATE, type CoordinateJob } from './jobs.ts';
import { BROADCASTS_QUEUE, METRICS } from './names.ts';
import type { Queues } from './queues.ts';

/** A coordinator waits most of its time, so one process may run many; the others wait for their turn. */
const JOBS_IN_FLIGHT = 100;

/** How a coordinator ended: there is nothing left to do, or it is to be started again after this time. */
export type Coordination = { againInMs?: number };

const PROGRESS_EVERY_MS = 1000;

interface CoordinatorsOptions {
  /** of this process, among all of the installation */
  name: string;
  queues: Queues;
  /** the connection that `coordinate` works on */
  store: Pick<Store, 'onConnectionLost'>;
  /**
   * Resolves when nothing is left to do, when it is too early, or soon after `signal` was aborted: at the end of its connection
   * epoch. It is called once more in the next one.
   */
  coordinate(job: CoordinateJob, signal: AbortSignal): Promise<Coordination>;
  /** how far a broadcast is, in percent, for whoever watches the queue */
  percentOf(no: string): Promise<number>;
  log: { warn(fields: object, text: string): void };
}

/** Asks for a coordinator; asking again for the same run changes nothing while the first one is there. */
export async function addCoordinator(queues: Queues, job: CoordinateJob, delayMs = 0): Promise<void> {
  const jobId = `${job.no}.${job.run}`;
  const options = { jobId, delay: delayMs, removeOnComplete: true, removeOnFail: true };
  await queues.broadcasts.add(COORDINATE.name, job, options);
}

/** Starts a coordinator that waits for its time: whoever waits for it may have a clock that is slow. */
export async function wakeCoordinator(queues: Queues, { no, run }: CoordinateJob): Promise<void> {
  const job = await queues.broadcasts.getJob(`${no}.${run}`);
  if (!(await job?.isDelayed())) return;
  await job?.promote().catch(async (error: unknown) => {
    // It has started meanwhile.
    if (await job.isDelayed()) throw error;
  });
}

/**
 * Coordinates broadcasts: one job each, on whichever process takes it. A coordinator whose process dies is started again on
 * another one within seconds; every step of it may be repeated.
 */
export function openCoordinators({ name, queues, store, coordinate, percentOf, log }: CoordinatorsOptions): {
  close(): Promise<void>;
} {
  const epochs = new ConnectionEpochs((lost) => {
    onConnectionLost(queues.redis, lost);
    store.onConnectionLost(lost);
  });
  const coordinateWithinOneEpoch = async (job: CoordinateJob): Promise<Coordination> => {
    for (;;) {
      const epoch = epochs.present;
      try {
        const coordination = await coordinate(job, epoch);
        if (!epoch.aborted) return coordination;
      } catch (error) {
        if (!epoch.aborted) throw error;
      }
      if (epochs.hasStopped) return {};
    }
  };
  const work = async (job: Job, token?: string): Promise<void> => {
    if (isDeadLettered(job.data)) return;
    const parsed = COORDINATE.schema.safeParse(job.data);
    if (!parsed.success) return log.warn({ jobId: job.id }, 'a coordinator without a broadcast was dropped');
    // Nobody waits for this, and a broadcast goes on if it fails.
    const show = async () => job.updateProgress(await percentOf(parsed.data.no));
    const stopShowing = every(PROGRESS_EVERY_MS, show, () => {});
    const { againInMs } = await coordinateWithinOneEpoch(parsed.data).finally(stopShowing);
    if (epochs.hasStopped) {
      // Another process starts it at once, instead of after the lock has run out.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (againInMs === undefined) return;
    await job.moveToDelayed(Date.now() + againInMs, token);
    throw new DelayedError();
  };
  const worker = new Worker(BROADCASTS_QUEUE.name, work, {
    name,
    connection: queues.redis,
    prefix: BROADCASTS_QUEUE.prefix,
    metrics: METRICS,
    concurrency: JOBS_IN_FLIGHT,
    lockDuration: 3000,
    stalledInterval: 1000,
    drainDelay: 1,
    runRetryDelay: 500,
    maxStalledCount: 1_000_000,
    skipVersionCheck: true,
  });
  worker.on('error', (err) => log.warn({ err, queue: BROADCASTS_QUEUE.name }, 'coordinators'));
  worker.on('failed', (job, err) =>
    log.warn({ err, jobId: job?.id }, 'a coordinator failed, it is started again soon'),
  );
  worker.on('stalled', (jobId) => healUnreadable(queues, queues.broadcasts, jobId, log));
  return {
    async close() {
      epochs.stop();
      await worker.close();
    },
  };
}
