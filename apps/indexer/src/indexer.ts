import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { Batcher, every } from '@ruyi/flow';
import { type IndexJob, openIndexWorker, openQueues } from '@ruyi/queue';
import { connect, untilServed } from '@ruyi/redis';
import { createSearchEngine, type RefusedDocument, type SearchDocument } from '@ruyi/search';
import { checkInstallation, createStore } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { handleIndexJob, type IndexContext } from './handleIndexJob.ts';
import { indexerCounts } from './indexerMetrics.ts';
import { startRebuilder } from './rebuilder.ts';
import { untilTaken } from './untilTaken.ts';

const REPORT_EVERY_MS = 5000;
const BATCH = { items: 2000, size: 16 * 1024 * 1024 };

/** An indexer process: makes stored messages searchable, many documents at a time. */
export async function startIndexer(config: Config, log: Logger): Promise<{ close(): Promise<void> }> {
  const redis = connect(config.redisUrl, 'background', 'indexer');
  const jobs = connect(config.redisUrl, 'background', 'indexer-jobs');
  for (const connection of [redis, jobs]) connection.on('error', (err) => log.warn({ err }, 'redis'));
  await untilServed(() => checkInstallation(redis, config), AbortSignal.timeout(60_000));
  const store = createStore(redis, config);
  const queues = openQueues(jobs, config.lanes);
  const abort = new AbortController();
  const engine = createSearchEngine(config, 'writer', (reason, how) => {
    log.warn({ reason }, 'search index lost, it is rebuilt from Redis');
    void untilServed(() => store.rebuilds.request(reason, how), abort.signal).catch(() => {});
  });
  const { created } = await untilTaken(() => engine.prepare(), abort.signal, log);
  const isFirst = await untilServed(() => store.rebuilds.noteEngine(engine.name), abort.signal);
  // The engine was changed, or its data was lost while no indexer ran.
  if (created && !isFirst) await store.rebuilds.request('the search index is new, the data is not');

  const batcher = new Batcher<SearchDocument, RefusedDocument[]>(BATCH, (documents) =>
    untilTaken(() => engine.index(documents), abort.signal, log),
  );
  const metrics = createMetrics('indexer');
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
  const worker = openIndexWorker({ queues, handle, signal: abort.signal, log });
  return {
    async close() {
      // Jobs in progress finish if the engine takes their documents in time. Otherwise another process starts them
      // again.
      await Promise.race([worker.close(), delay(5000, undefined, { ref: false })]);
      abort.abort();
      await Promise.race([
        Promise.all([stopRebuilding(), stopReporting(), queues.close(), engine.close()]),
        delay(1500, undefined, { ref: false }),
      ]);
      redis.disconnect();
      jobs.disconnect();
    },
  };
}

/** Approximate size of a document on the wire, in bytes. */
function sizeOf(document: SearchDocument): number {
  const text = Object.values(document.text).reduce((sum, value) => sum + value.length, 0);
  return 300 + document.audience.length * 27 + text * 5;
}
