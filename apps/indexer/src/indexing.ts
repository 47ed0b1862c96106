import { Batcher } from '@ruyi/flow';
import { type IndexJob, openIndexWorker, type Queues } from '@ruyi/queue';
import type { RefusedDocument, SearchDocument, SearchEngine } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import type { Logger, ProcessMetrics } from '@ruyi/telemetry';
import { handleIndexJob, type IndexContext } from './handleIndexJob.ts';
import { indexerCounts } from './indexerMetrics.ts';
import { startRebuilder } from './rebuilder.ts';
import { untilTaken } from './untilTaken.ts';

const BATCH = { items: 2000, size: 16 * 1024 * 1024 };

interface IndexingOptions {
  /** of the installation, on this machine */
  directory: string;
  store: Store;
  queues: Queues;
  /** prepared */
  engine: SearchEngine;
  metrics: ProcessMetrics;
  signal: AbortSignal;
  log: Logger;
}

export interface Indexing {
  /** takes no more jobs, and waits for those that run */
  close(): Promise<void>;
  /** stops looking whether the index is to be rebuilt, and waits for a rebuild that runs */
  stopRebuilding(): Promise<void>;
}

/** Works the index queue: the documents of many jobs go to the engine together. Rebuilds the index if that is requested. */
export function startIndexing({ directory, store, queues, engine, metrics, signal, log }: IndexingOptions): Indexing {
  const batcher = new Batcher<SearchDocument, RefusedDocument[]>(BATCH, (documents) =>
    untilTaken(() => engine.index(documents), signal, log),
  );
  const counts = indexerCounts(metrics);
  const take = (document: SearchDocument) => batcher.add(document, sizeOf(document));
  const context: IndexContext = { store, queues, take, signal, log };
  const handle = async (job: IndexJob, { id, addedAt }: { id: string; addedAt: number }) => {
    const { indexed, refused } = await handleIndexJob(context, job, id);
    counts.documents.inc(indexed);
    counts.refused.inc(refused);
    counts.freshness.observe(Math.max(0, Date.now() - addedAt) / 1000);
  };
  const worker = openIndexWorker({ name: metrics.process, queues, store, handle, signal, log });
  const stopRebuilding = startRebuilder({ store, engine, directory, signal, log });
  return { close: () => worker.close(), stopRebuilding };
}

/** Approximate size of a document on the wire, in bytes. */
function sizeOf(document: SearchDocument): number {
  const text = Object.values(document.text).reduce((sum, value) => sum + value.length, 0);
  return 300 + document.audience.length * 27 + text * 5;
}
