import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { Batcher, every } from '@ruyi/flow';
import { type IndexJob, openIndexWorker, openQueues, servingCheck } from '@ruyi/queue';
import { connect, reachRedis, untilServed, whileStarting } from '@ruyi/redis';
import {
  createSearchEngine,
  indexFolder,
  type RefusedDocument,
  type SearchDocument,
  type SearchEngine,
} from '@ruyi/search';
import { createStore, type IndexHolder, joinInstallation, newMember, type Store } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { handleIndexJob, type IndexContext } from './handleIndexJob.ts';
import { indexerCounts } from './indexerMetrics.ts';
import { type Ownership, ownIndex } from './ownIndex.ts';
import { startRebuilder } from './rebuilder.ts';
import { untilTaken } from './untilTaken.ts';

const REPORT_EVERY_MS = 5000;
const BATCH = { items: 2000, size: 16 * 1024 * 1024 };

/** An indexer process: makes stored messages searchable, many documents at a time. */
export async function startIndexer(
  config: Config,
  log: Logger,
  onTaken: (owner: IndexHolder) => void = endProcess(log),
): Promise<{ check: ReturnType<typeof servingCheck>; close(): Promise<void> }> {
  const starting = { settings: config, log };
  await reachRedis(starting);
  const redis = connect(config, 'background', 'indexer');
  const jobs = connect(config, 'background', 'indexer-jobs');
  for (const connection of [redis, jobs]) connection.on('error', (err) => log.warn({ err }, 'redis'));
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const self = newMember('indexer', 0);
  const membership = await whileStarting(() => joinInstallation(redis, config, self, onError), starting);
  const store = createStore(redis, { ...config, shards: membership.shards });
  const queues = openQueues(jobs, 0);
  const abort = new AbortController();
  const giveIndexFree = await ownEmbeddedIndex(config, {
    store,
    name: self.name,
    signal: abort.signal,
    onTaken,
    onError,
  });
  const engine = await prepareEngine(config, store, abort.signal, log);

  const batcher = new Batcher<SearchDocument, RefusedDocument[]>(BATCH, (documents) =>
    untilTaken(() => engine.index(documents), abort.signal, log),
  );
  const metrics = createMetrics(membership.self);
  const counts = indexerCounts(metrics);
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  const context: IndexContext = {
    store,
    queues,
    take: (document) => batcher.add(document, sizeOf(document)),
    signal: abort.signal,
    log,
  };
  const handle = async (job: IndexJob, { id, addedAt }: { id: string; addedAt: number }) => {
    const { indexed, refused } = await handleIndexJob(context, job, id);
    counts.documents.inc(indexed);
    counts.refused.inc(refused);
    counts.freshness.observe(Math.max(0, Date.now() - addedAt) / 1000);
  };
  const stopRebuilding = startRebuilder({ store, engine, directory: config.dataDir, signal: abort.signal, log });
  const worker = openIndexWorker({ name: self.name, queues, handle, signal: abort.signal, log });
  return {
    // It works with no lane.
    check: servingCheck(redis),
    async close() {
      // Jobs in progress finish if the engine takes their documents in time. Otherwise another process starts them
      // again.
      await Promise.race([worker.close(), delay(5000, undefined, { ref: false })]);
      abort.abort();
      await Promise.race([
        Promise.all([
          stopRebuilding(),
          stopReporting(),
          queues.close(),
          engine.close(),
          giveIndexFree(),
          membership.leave(),
        ]),
        delay(1500, undefined, { ref: false }),
      ]);
      redis.disconnect();
      jobs.disconnect();
    },
  };
}

/** Opens the index for writing, and requests a rebuild if it is newer than the data. */
async function prepareEngine(config: Config, store: Store, signal: AbortSignal, log: Logger): Promise<SearchEngine> {
  const engine = createSearchEngine(config, 'writer', (reason, how) => {
    log.warn({ reason }, 'search index lost, it is rebuilt from Redis');
    void untilServed(() => store.rebuilds.request(reason, how), signal).catch(() => {});
  });
  const { created } = await untilTaken(() => engine.prepare(), signal, log);
  const isFirst = await untilServed(() => store.rebuilds.noteEngine(engine.name), signal);
  // The engine was changed, or its data was lost while no indexer ran.
  if (created && !isFirst) await store.rebuilds.request('the search index is new, the data is not');
  return engine;
}

/** A search server is shared by all indexers; the embedded index has one owner. */
const ownEmbeddedIndex = async (config: Config, options: Omit<Ownership, 'directory'>) =>
  config.meiliUrl === '' ? ownIndex({ ...options, directory: indexFolder(config) }) : async () => {};

const endProcess = (log: Logger) => (owner: IndexHolder) => {
  log.fatal({ owner }, 'another indexer has taken the search index, this one ends');
  process.exit(1);
};

/** Approximate size of a document on the wire, in bytes. */
function sizeOf(document: SearchDocument): number {
  const text = Object.values(document.text).reduce((sum, value) => sum + value.length, 0);
  return 300 + document.audience.length * 27 + text * 5;
}
