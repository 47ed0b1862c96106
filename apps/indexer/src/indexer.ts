import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import type { IndexJob } from '@ruyi/contracts';
import { Batcher, INDEX, openIndexWorker, openQueues, refreshing, setAside } from '@ruyi/queue';
import { createSearchEngine, type RefusedDocument, type SearchDocument, SearchUnavailableError } from '@ruyi/search';
import { checkInstallation, chunkRecipients, connect, createStore, keys, type Store, untilServed } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import { documentsOf } from './documents.ts';
import { rebuildFromRedis } from './rebuild.ts';

const BATCH = { items: 2000, size: 16 * 1024 * 1024 };
const RETRY_FIRST_MS = 200;
const RETRY_LONGEST_MS = 10_000;
const REBUILD_LOOK_MS = 2000;
const REBUILD_HOLD_MS = 5000;

/** An indexer process: makes what the workers stored searchable, many documents at a time. */
export async function startIndexer(config: Config, log: Logger): Promise<{ close(): Promise<void> }> {
  const redis = connect(config.redisUrl, 'background', 'indexer');
  const jobs = connect(config.redisUrl, 'background', 'indexer-jobs');
  for (const connection of [redis, jobs]) connection.on('error', (err) => log.warn({ err }, 'redis'));
  await untilServed(() => checkInstallation(redis, config), AbortSignal.timeout(60_000));
  const store = createStore(redis, config);
  const queues = openQueues(jobs, config.lanes);
  const abort = new AbortController();
  const engine = createSearchEngine(config, 'writer', (reason) => {
    log.warn({ reason }, 'search index lost, it is rebuilt from Redis');
    void untilServed(() => store.rebuild.request(reason), abort.signal).catch(() => {});
  });
  const { created } = await untilTaken(() => engine.prepare(), abort.signal, log);
  const isFirst = await untilServed(() => redis.hsetnx(keys.meta, 'index', engine.name), abort.signal);
  // The engine was changed, or its data went away while nobody looked.
  if (created && isFirst === 0) await store.rebuild.request('the search index is new, the data is not');

  const batcher = new Batcher<SearchDocument, RefusedDocument[]>(BATCH, (documents) =>
    untilTaken(() => engine.index(documents), abort.signal, log),
  );
  const handle = async (job: IndexJob, jobId: string) => {
    const documents = await untilServed(() => documentsOf(store, job), abort.signal);
    const refused = new Map<string, string>();
    await Promise.all(
      documents.map(async ({ document }) => {
        for (const { id, reason } of await batcher.add(document, sizeOf(document))) refused.set(id, reason);
      }),
    );
    for (const { document, source } of documents) {
      const reason = refused.get(document.id);
      if (reason === undefined) continue;
      log.warn({ document: document.id, reason }, 'set aside');
      const letter = { queue: 'index', name: INDEX.name, reason, data: source };
      await untilServed(() => setAside(queues.dead, `${jobId}-${document.id}`, letter), abort.signal);
    }
    await noteIndexed(job, refused);
  };
  const noteIndexed = async ({ broadcast }: IndexJob, refused: Map<string, string>) => {
    if (!broadcast) return;
    const indexed = broadcast.chunks
      .filter(({ chunk }) => !refused.has(`${broadcast.ref}-${chunk}`))
      .map((chunk) => ({ chunk: chunk.chunk, size: chunkRecipients(chunk).length }));
    if (indexed.length > 0) {
      await untilServed(() => store.progress.chunksIndexed(broadcast.ref, indexed), abort.signal);
    }
  };
  const stopRebuilding = refreshing(REBUILD_LOOK_MS, async () => {
    await engine.check();
    const requested = await store.rebuild.take();
    if (requested === undefined) return;
    log.warn({ requested }, 'rebuilding the search index from Redis');
    const holding = refreshing(REBUILD_HOLD_MS, () => store.rebuild.hold());
    const take = async (documents: SearchDocument[]) => {
      await untilTaken(() => engine.index(documents), abort.signal, log);
      await untilServed(() => noteRebuilt(store, documents), abort.signal);
    };
    let done: string | undefined;
    try {
      const { documents } = await rebuildFromRedis(store, config.dataDir, take, abort.signal);
      done = requested;
      log.info({ documents }, 'search index rebuilt');
    } catch (err) {
      if (!abort.signal.aborted) log.error({ err }, 'rebuild failed, it is begun again');
    } finally {
      await holding();
      await store.rebuild.release(done);
    }
  });
  const worker = openIndexWorker(jobs, handle, abort.signal);
  return {
    async close() {
      // What is at work is finished if the engine takes it in time; else another process starts it again.
      await Promise.race([worker.close(), delay(5000, undefined, { ref: false })]);
      abort.abort();
      await Promise.race([
        Promise.all([stopRebuilding(), queues.close(), engine.close()]),
        delay(1500, undefined, { ref: false }),
      ]);
      redis.disconnect();
      jobs.disconnect();
    },
  };
}

/** Progress of batches whose chunks are in again; only of those that are still known. */
async function noteRebuilt(store: Store, documents: SearchDocument[]): Promise<void> {
  for (const { id, audience } of documents) {
    const [ref, chunk] = id.split('-');
    if (ref !== undefined && chunk !== undefined && (await store.progress.read(ref))) {
      await store.progress.chunksIndexed(ref, [{ chunk: Number(chunk), size: audience.length }]);
    }
  }
}

/** Repeats a call to the engine while it does not answer, for as long as it takes. */
async function untilTaken<T>(call: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> {
  for (let pause = RETRY_FIRST_MS; ; pause = Math.min(pause * 2, RETRY_LONGEST_MS)) {
    signal.throwIfAborted();
    let wait = pause;
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SearchUnavailableError)) throw error;
      wait = Math.max(pause, error.retryAfterMs ?? 0);
      log.warn({ err: error, retryInMs: wait }, 'search engine unavailable');
    }
    await delay(wait, undefined, { signal });
  }
}

/** Roughly what a document takes on the wire, in bytes. */
function sizeOf(document: SearchDocument): number {
  const text = Object.values(document.text).reduce((sum, value) => sum + value.length, 0);
  return 300 + document.audience.length * 27 + text * 5;
}
