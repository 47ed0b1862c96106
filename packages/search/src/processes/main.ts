// A search process: it asks the engine and prepares payloads for the answer, so that this work does not block the API's event
// loop. Its parent forks it, tells it which engine to use, and kills it when a task takes too long.
import { Worker } from 'node:worker_threads';
import { presentPayload } from '../payload/presentPayload.ts';
import { SearchUnavailableError } from '../searchEngine.ts';
import type { SearchQuery, SearchResult } from '../searchQuery.ts';
import type { Watched } from './parentWatch.ts';
import type { EngineSettings, FromProcess, Presented, Task, ToProcess } from './tasks.ts';

type Search = (query: SearchQuery) => SearchResult | Promise<SearchResult>;

const WATCH = new URL('./parentWatch.js', import.meta.url);
const [parent] = process.argv.slice(2);
/** Far above what any search needs. The heap has its own bound; this one is for memory outside of it. */
const MOST_MEMORY = 768 * 1024 * 1024;
const watched: Watched = { parent: Number(parent), mostMemory: MOST_MEMORY };

/** Loads only the engine that is used. */
async function openEngine(settings: EngineSettings): Promise<Search> {
  if (settings.name === 'embedded') {
    const { IndexReader } = await import('../embedded/indexReader.ts');
    const reader = new IndexReader(settings.directory);
    return (query) => reader.search(query);
  }
  const { createMeilisearchEngine } = await import('../meilisearch/meilisearchEngine.ts');
  const engine = createMeilisearchEngine({ url: settings.url, apiKey: settings.apiKey, role: 'reader' });
  return (query) => engine.search(query);
}

async function perform(search: Search, task: Task): Promise<FromProcess> {
  if (task.kind === 'search') return { kind: 'found', result: await search(task.query) };
  return { kind: 'presented', presented: present(task) };
}

function present({ payloads, presentation }: Task & { kind: 'present' }): Presented {
  const shown = payloads.map((payload) => presentPayload(payload, presentation));
  let end = 0;
  return { bytes: Buffer.concat(shown), ends: shown.map(({ length }) => (end += length)) };
}

function failureOf(error: unknown): FromProcess {
  const failure = error instanceof Error ? error : new Error(String(error));
  const isDefect = !(error instanceof SearchUnavailableError);
  return { kind: 'failed', reason: failure.message, ...(isDefect ? { defect: failure } : {}) };
}

const tell = (message: FromProcess) => void process.send?.(message);

// A signal to the whole process group is for the parent, which ends its search processes when it has answered.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));
new Worker(WATCH, { workerData: watched }).unref();

let search: Promise<Search> | undefined;
process.on('message', async (message: ToProcess) => {
  try {
    if ('settings' in message) {
      search = openEngine(message.settings);
      await search;
      tell({ kind: 'ready' });
    } else if (search) tell(await perform(await search, message.task));
  } catch (error) {
    tell(failureOf(error));
  }
});
