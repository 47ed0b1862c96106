import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { every, sharedAbort } from '@ruyi/flow';
import { openQueues, servingCheck } from '@ruyi/queue';
import { connect, connectForReplicas, reachRedis, whileStarting } from '@ruyi/redis';
import { indexFolder } from '@ruyi/search';
import { createStore, type IndexHolder, joinInstallation, newMember, VERSION } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf, startTracing } from '@ruyi/telemetry';
import { type Indexing, startIndexing } from './indexing.ts';
import { type Ownership, ownIndex } from './ownIndex.ts';
import { prepareEngine } from './prepareEngine.ts';

const REPORT_EVERY_MS = 5000;

/** An indexer process: makes stored messages searchable, many documents at a time. */
export async function startIndexer(
  config: Config,
  log: Logger,
  onTaken: (owner: IndexHolder) => void = endProcess(log),
): Promise<{ check: ReturnType<typeof servingCheck>; close(): Promise<void> }> {
  const starting = { settings: config, log };
  await reachRedis(starting);
  const { redis, jobs, waiting, connections } = openConnections(config, log);
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const self = newMember('indexer', 0);
  const membership = await whileStarting(() => joinInstallation(redis, config, self, onError), starting);
  const store = createStore(redis, { ...config, shards: membership.shards }, waiting);
  const tracing = await startTracing(config, { role: 'indexer', version: VERSION }, log);
  const queues = openQueues(jobs, 0, tracing);
  const abort = sharedAbort();
  const giveIndexFree = await ownEmbeddedIndex(config, {
    store,
    name: self.name,
    signal: abort.signal,
    onTaken,
    onError,
  });
  const { engine, prepared, isAway } = prepareEngine(config, store, abort.signal, log);
  // Everything but search works without the engine, so nobody waits for this process then.
  await Promise.race([prepared, isAway]);

  const metrics = createMetrics(membership.self);
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  let working: Indexing | undefined;
  prepared.then(
    () => {
      working = startIndexing({ directory: config.dataDir, store, queues, engine, metrics, signal: abort.signal, log });
    },
    (err) => {
      if (!abort.signal.aborted) failed(log, err);
    },
  );
  return {
    // It works with no lane.
    check: servingCheck(redis),
    async close() {
      // Jobs in progress finish if the engine takes their documents in time. Otherwise another process starts them
      // again.
      await Promise.race([working?.close(), delay(5000, undefined, { ref: false })]);
      abort.abort();
      await Promise.race([
        Promise.all([
          working?.stopRebuilding(),
          stopReporting(),
          queues.close(),
          engine.close(),
          giveIndexFree(),
          membership.leave(),
        ]),
        delay(1500, undefined, { ref: false }),
      ]);
      for (const connection of connections) connection.disconnect();
      await tracing?.close();
    },
  };
}

function openConnections(config: Config, log: Logger) {
  const redis = connect(config, 'background', 'indexer');
  // Repeats no command: a job would be completed although a Redis that lost its power has forgotten what the job noted.
  const jobs = connect(config, 'worker', 'indexer-jobs');
  const waiting = connectForReplicas(config, 'indexer');
  const connections = [redis, jobs, ...(waiting ? [waiting.redis] : [])];
  for (const connection of connections) connection.on('error', (err) => log.warn({ err }, 'redis'));
  return { redis, jobs, waiting, connections };
}

/** A search server is shared by all indexers; the embedded index has one owner. */
const ownEmbeddedIndex = async (config: Config, options: Omit<Ownership, 'directory'>) =>
  config.meiliUrl === '' ? ownIndex({ ...options, directory: indexFolder(config) }) : async () => {};

const endProcess = (log: Logger) => (owner: IndexHolder) => {
  log.fatal({ owner }, 'another indexer has taken the search index, this one ends');
  process.exit(1);
};

/** No repetition heals this: a supervisor shows it, and starts the process again. */
function failed(log: Logger, err: unknown): void {
  log.fatal({ err }, 'the search index cannot be prepared, this indexer ends');
  process.exit(1);
}
