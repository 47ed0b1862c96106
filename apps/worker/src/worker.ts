import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { LaneWorkers, openDeadLetters, openQueues, prepareLanes, waitingRecipients } from '@ruyi/queue';
import { connect, reviewRedis, untilServed } from '@ruyi/redis';
import { checkInstallation, createStore } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { handleLaneJob } from './jobs/handleLaneJob.ts';
import { workerCounts } from './workerMetrics.ts';

const CLOSE_LANES_MS = 6000;
const INDEX_BACKLOG_EVERY_MS = 1000;
const REPORT_EVERY_MS = 5000;

/** A worker process: works its share of the lanes, and puts retried dead letters back on their queues. */
export async function startWorker(config: Config, log: Logger): Promise<{ name: string; close(): Promise<void> }> {
  const redis = connect(config.redisUrl, 'worker', 'worker');
  const jobs = connect(config.redisUrl, 'worker', 'worker-jobs');
  for (const connection of [redis, jobs]) connection.on('error', (err) => log.warn({ err }, 'redis'));

  const starting = AbortSignal.timeout(60_000);
  await untilServed(() => checkInstallation(redis, config), starting);
  for (const warning of await untilServed(() => reviewRedis(redis), starting)) log.warn(warning);
  const store = createStore(redis, config);
  const queues = openQueues(jobs, config.lanes);
  await untilServed(() => prepareLanes(redis, queues), starting);

  let waitingForIndex = 0;
  const measure = async () => {
    waitingForIndex = await waitingRecipients(redis, queues.index);
  };
  const stopMeasuring = every(INDEX_BACKLOG_EVERY_MS, measure, firstFailure(log, 'the index queue is not measured'));
  const metrics = createMetrics('worker');
  const countsOf = workerCounts(metrics, store.trimmer);
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  const lanes = new LaneWorkers({
    connection: jobs,
    store,
    queues,
    log,
    handler: (kind, lane) => {
      const name = `${kind}.${lane}`;
      const indexing = () => waitingForIndex < config.indexBacklog;
      const appender = store.appender(name);
      const context = { lane: name, store, queues, appender, indexing, counted: countsOf(kind), log };
      return (run, job) => handleLaneJob(context, run, job);
    },
  });
  lanes.start();
  const deadLetters = openDeadLetters(jobs, config.lanes);
  return {
    name: lanes.name,
    async close() {
      await lanes.close(CLOSE_LANES_MS);
      // If Redis is away these may never close. They are dropped then; their jobs start again on another worker.
      const closed = Promise.all([deadLetters.close(), queues.close(), stopMeasuring(), stopReporting()]);
      await Promise.race([closed, timeout(1500)]);
      redis.disconnect();
      jobs.disconnect();
    },
  };
}

const timeout = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
