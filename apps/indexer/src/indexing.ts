import { Batcher, every } from '@ruyi/flow';
import {
  groupOf,
  type IndexJob,
  openIndexWorker,
  type Queues,
  releaseWakeUps,
  type WakePage,
  wakeIndexer,
} from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { RefusedDocument, SearchDocument, SearchEngine } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import { firstFailure, type Logger, type ProcessMetrics } from '@ruyi/telemetry';
import { type DrainContext, drainGroup } from './drainOutboxes.ts';
import { handleIndexJob, type IndexContext } from './handleIndexJob.ts';
import { indexerCounts } from './indexerMetrics.ts';
import { startRebuilder } from './rebuilder.ts';
import { untilTaken } from './untilTaken.ts';

/** A wake-up may be lost, together with the worker that would have sent it. */
const LOOK_EVERY_MS = 1000;
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

/**
 * Indexes what waits in the outboxes, and works the index queue: the documents of many shards go to the engine together. Rebuilds
 * the index if that is requested.
 */
export function startIndexing({ directory, store, queues, engine, metrics, signal, log }: IndexingOptions): Indexing {
  const batcher = new Batcher<SearchDocument, RefusedDocument[]>(BATCH, (documents) =>
    untilTaken(() => engine.index(documents), signal, log),
  );
  const counts = indexerCounts(metrics);
  const take = (document: SearchDocument) => batcher.add(document, sizeOf(document));
  const context: IndexContext = { store, queues, take, signal, log };
  const index = async (job: IndexJob, id: string) => {
    const { indexed, refused } = await handleIndexJob(context, job, id);
    counts.documents.inc(indexed);
    counts.refused.inc(refused);
  };
  const observe = (age: number) => counts.freshness.observe(Math.max(0, age) / 1000);
  const handle = async (job: IndexJob, { id, addedAt }: { id: string; addedAt: number }) => {
    await index(job, id);
    observe(Date.now() - addedAt);
  };
  let isClosing = false;
  const draining = startDraining({ store, queues, index, observe, isClosing: () => isClosing, signal, log });
  const { drain } = draining;
  const worker = openIndexWorker({ name: metrics.process, queues, store, handle, drain, signal, log });
  const stopRebuilding = startRebuilder({ store, engine, directory, signal, log });
  return {
    async close() {
      isClosing = true;
      await Promise.all([draining.stopLooking(), worker.close()]);
    },
    stopRebuilding,
  };
}

/** Drains groups of outboxes at their wake-ups, and wakes for those that have something waiting nevertheless. */
function startDraining(context: DrainContext & { log: Logger }) {
  const { store, queues, signal, log } = context;
  const underway = new Set<number>();
  const drain = async (group: number, losses: () => number, pages: WakePage[]) => {
    underway.add(group);
    try {
      const isLeft = await drainGroup(context, group, losses, pages);
      if (isLeft) await untilServed(() => wakeIndexer(queues, group), signal);
    } finally {
      underway.delete(group);
    }
  };
  let isReleased = false;
  const look = async () => {
    if (!isReleased) await releaseWakeUps(queues);
    isReleased = true;
    const groups = new Set((await store.outboxes.waitingShards()).map(groupOf));
    for (const group of groups) if (!underway.has(group)) await wakeIndexer(queues, group);
  };
  return { drain, stopLooking: every(LOOK_EVERY_MS, look, firstFailure(log, 'cannot look what waits to be indexed')) };
}

/** Approximate size of a document on the wire, in bytes. */
function sizeOf(document: SearchDocument): number {
  const text = Object.values(document.text).reduce((sum, value) => sum + value.length, 0);
  return 300 + document.audience.length * 27 + text * 5;
}
