import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import {
  agreeOnLanes,
  LaneWorkers,
  limitLanes,
  openDeadLetters,
  openQueues,
  servingCheck,
  waitingRecipients,
} from '@ruyi/queue';
import { connect, reviewRedis, untilServed } from '@ruyi/redis';
import { createStore, joinInstallation, newMember } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { handleLaneJob } from './jobs/handleLaneJob.ts';
import { workerCounts } from './workerMetrics.ts';

const CLOSE_LANES_MS = 6000;
const INDEX_BACKLOG_EVERY_MS = 1000;
const REPORT_EVERY_MS = 5000;

/** A worker process: works its share of the lanes, and puts retried dead letters back on their queues. */
export async function startWorker(
  config: Config,
  log: Logger,
  onOutdated: (error: Error) => void = endProcess(log),
): Promise<{ name: string; lanes: number; check: ReturnType<typeof servingCheck>; close(): Promise<void> }> {
  const redis = connect(config.redisUrl, 'worker', 'worker');
  const jobs = connect(config.redisUrl, 'worker', 'worker-jobs');
  for (const connection of [redis, jobs]) connection.on('error', (err) => log.warn({ err }, 'redis'));

  const starting = AbortSignal.timeout(60_000);
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const membership = await joinInstallation(redis, config, newMember('worker', config.lanes), {
    signal: starting,
    onError,
  });
  for (const warning of await untilServed(() => reviewRedis(redis), starting)) log.warn(warning);
  const store = createStore(redis, config);
  const { lanes: laneCount, warning } = await untilServed(
    () => agreeOnLanes(redis, config.lanes, () => store.members.all()),
    starting,
  );
  if (warning !== undefined) log.warn(warning);
  membership.tell({ lanes: laneCount });
  const queues = openQueues(jobs, laneCount);
  await untilServed(() => limitLanes(queues), starting);

  let waitingForIndex = 0;
  const measure = async () => {
    waitingForIndex = await waitingRecipients(redis, queues.index);
  };
  const stopMeasuring = every(INDEX_BACKLOG_EVERY_MS, measure, firstFailure(log, 'the index queue is not measured'));
  const metrics = createMetrics(membership.self);
  const countsOf = workerCounts(metrics, store.trimmer);
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  const lanes = new LaneWorkers({
    name: membership.self.name,
    connection: jobs,
    store,
    queues,
    log,
    onOutdated,
    handler: (kind, lane) => {
      const name = `${kind}.${lane}`;
      const indexing = () => waitingForIndex < config.indexBacklog;
      const appender = store.appender(name);
      const context = { lane: name, store, queues, appender, indexing, counted: countsOf(kind), log };
      return (run, job) => handleLaneJob(context, run, job);
    },
  });
  lanes.start();
  const deadLetters = openDeadLetters(jobs, laneCount);
  return {
    name: lanes.name,
    lanes: laneCount,
    check: servingCheck(redis, laneCount),
    async close() {
      await lanes.close(CLOSE_LANES_MS);
      // If Redis is away these may never close. They are dropped then; their jobs start again on another worker.
      const closed = Promise.all([
        deadLetters.close(),
        queues.close(),
        stopMeasuring(),
        stopReporting(),
        membership.leave(),
      ]);
      await Promise.race([closed, timeout(1500)]);
      redis.disconnect();
      jobs.disconnect();
    },
  };
}

/** Another version has changed the data: this process must not write any more. */
const endProcess = (log: Logger) => (err: Error) => {
  log.fatal({ err }, 'the data belongs to a newer version, this worker ends');
  process.exit(1);
};

const timeout = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
