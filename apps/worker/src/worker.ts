import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { IndexWaker, joinLanes, LaneWorkers, openDeadLetters, servingCheck } from '@ruyi/queue';
import { connect, connectForReplicas, reachRedis, reviewListpack, whileStarting } from '@ruyi/redis';
import { createStore, VERSION } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf, startTracing } from '@ruyi/telemetry';
import { openBroadcasts } from './broadcasts/openBroadcasts.ts';
import { watchIndexBacklog } from './indexBacklog.ts';
import { handleLaneJob } from './jobs/handleLaneJob.ts';
import { startSweeping } from './sweeping.ts';
import { workerCounts } from './workerMetrics.ts';

const CLOSE_LANES_MS = 6000;
const REPORT_EVERY_MS = 5000;

/** A worker process: works its share of the lanes, and keeps the dead letters. */
export async function startWorker(
  config: Config,
  log: Logger,
  onOutdated: (error: Error) => void = endProcess(log),
): Promise<{ name: string; lanes: number; check: ReturnType<typeof servingCheck>; close(): Promise<void> }> {
  const starting = { settings: config, log };
  await reachRedis(starting);
  const { redis, jobs, waiting, connections } = openConnections(config, log);
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const tracing = await startTracing(config, { role: 'worker', version: VERSION }, log);
  const joining = { role: 'worker', settings: config, redis, jobs, starting, onError, tracing } as const;
  const { membership, queues } = await joinLanes(joining);
  const unset = await whileStarting(() => reviewListpack(redis), starting);
  for (const { message, fix } of unset) log.warn(`${message}; ${fix}`);
  const store = createStore(redis, { ...config, shards: membership.shards }, waiting);

  const indexBacklog = watchIndexBacklog(store, queues, config.indexBacklog, log);
  const metrics = createMetrics(membership.self);
  const countsOf = workerCounts(metrics, store.trimmer);
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  const stopSweeping = startSweeping(store, { name: membership.self.name, metrics, log });
  const waker = new IndexWaker(queues, membership.shards);
  const lanes = new LaneWorkers({
    name: membership.self.name,
    connection: jobs,
    store,
    queues,
    log,
    onOutdated,
    handler: (kind, _lane, name) => {
      const appender = store.appender(name, () => !indexBacklog.hasRoom());
      const indexing = {
        indexing: indexBacklog.hasRoom,
        wake: (woken: ReadonlyMap<string, string[]>) => waker.wake(woken),
      };
      const context = { lane: name, store, queues, appender, ...indexing, counted: countsOf(kind), log };
      return (run, job) => handleLaneJob(context, run, job);
    },
  });
  lanes.start();
  const deadLetters = openDeadLetters(jobs);
  const broadcasts = openBroadcasts({ store, queues, config, metrics, log });
  return {
    name: lanes.name,
    lanes: queues.lanes,
    check: servingCheck(redis),
    async close() {
      await lanes.close(CLOSE_LANES_MS);
      // If Redis is away these may never close. They are dropped then; their jobs start again on another worker.
      const closed = Promise.all([
        broadcasts.close(),
        deadLetters.close(),
        waker.close(),
        queues.close(),
        indexBacklog.stop(),
        stopReporting(),
        stopSweeping(),
        membership.leave(),
      ]);
      await Promise.race([closed, timeout(1500)]);
      for (const connection of connections) connection.disconnect();
      await tracing?.close();
    },
  };
}

function openConnections(config: Config, log: Logger) {
  const redis = connect(config, 'worker', 'worker');
  const jobs = connect(config, 'worker', 'worker-jobs');
  const waiting = connectForReplicas(config, 'worker');
  const connections = [redis, jobs, ...(waiting ? [waiting.redis] : [])];
  for (const connection of connections) connection.on('error', (err) => log.warn({ err }, 'redis'));
  return { redis, jobs, waiting, connections };
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
