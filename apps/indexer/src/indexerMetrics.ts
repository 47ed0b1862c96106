import { Counter, Histogram, type ProcessMetrics } from '@ruyi/telemetry';

const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/** The metrics of an indexer (docs/metrics.md). */
export function indexerCounts({ registry }: ProcessMetrics) {
  const registers = [registry];
  return {
    freshness: new Histogram({
      name: 'ruyi_search_freshness_seconds',
      help: "from storing a job's messages to finding them in searches; one observation per job",
      buckets: BUCKETS,
      registers,
    }),
    documents: new Counter({
      name: 'ruyi_indexed_documents_total',
      help: 'documents that the search engine took: one per message, or per up to 1,000 recipients of a broadcast',
      registers,
    }),
    refused: new Counter({
      name: 'ruyi_refused_documents_total',
      help: 'documents that the search engine refused and that became dead letters',
      registers,
    }),
  };
}
