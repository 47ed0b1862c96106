import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type SearchQuery, type SearchResult, SearchUnavailableError } from '../port.ts';
import type { SearchReply, SearchRequest } from './searchThread.ts';

const DEADLINE_MS = 5000;
const MOST_WAITING = 256;

interface Waiting {
  query: SearchQuery;
  resolve(result: SearchResult): void;
  reject(error: Error): void;
}

interface Thread {
  worker: Worker;
  busy: { number: number; waiting: Waiting; timer: NodeJS.Timeout } | undefined;
}

/** Threads run compiled code; seen from the sources (tests) that lies in dist. */
const ENTRY = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/embedded/searchThread.js' : './searchThread.js',
    import.meta.url,
  ),
);

/** A few threads that read the index in a folder, each one search at a time. */
export class SearchThreads {
  readonly #directory: string;
  readonly #threads: Thread[];
  #waiting: Waiting[] = [];
  #number = 0;
  #closed = false;

  constructor(directory: string, count: number) {
    this.#directory = directory;
    this.#threads = Array.from({ length: count }, () => this.#startThread());
  }

  /** @throws SearchUnavailableError after 5 s, or at once where too many searches wait */
  search(query: SearchQuery): Promise<SearchResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new SearchUnavailableError('the search is closed'));
        return;
      }
      if (this.#waiting.length >= MOST_WAITING) {
        reject(new SearchUnavailableError(`${MOST_WAITING} searches wait already`));
        return;
      }
      this.#waiting.push({ query, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    for (const thread of this.#threads) {
      if (thread.busy) continue;
      const waiting = this.#waiting.shift();
      if (!waiting) return;
      const number = ++this.#number;
      // A search cannot be interrupted; its thread can be given up.
      const timer = setTimeout(() => this.#replace(thread, `no result within ${DEADLINE_MS} ms`), DEADLINE_MS);
      thread.busy = { number, waiting, timer };
      const request: SearchRequest = { number, query: waiting.query };
      thread.worker.postMessage(request);
    }
  }

  #startThread(): Thread {
    const worker = new Worker(ENTRY, { workerData: this.#directory });
    worker.unref();
    const thread: Thread = { worker, busy: undefined };
    worker.on('message', (reply: SearchReply) => {
      const { busy } = thread;
      if (busy?.number !== reply.number) return;
      clearTimeout(busy.timer);
      thread.busy = undefined;
      if ('result' in reply) busy.waiting.resolve(reply.result);
      else busy.waiting.reject(new SearchUnavailableError(`the search index cannot be read: ${reply.error}`));
      this.#next();
    });
    worker.on('error', (error) => this.#replace(thread, error.message));
    return thread;
  }

  #replace(thread: Thread, reason: string): void {
    const { busy, worker } = thread;
    if (busy) {
      clearTimeout(busy.timer);
      busy.waiting.reject(new SearchUnavailableError(`the search failed: ${reason}`));
    }
    worker.removeAllListeners();
    // Its end may report another error, which nobody waits for.
    worker.on('error', () => {});
    void worker.terminate();
    const index = this.#threads.indexOf(thread);
    if (index >= 0 && !this.#closed) this.#threads[index] = this.#startThread();
    this.#next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const under = this.#threads.flatMap(({ busy }) => busy ?? []);
    for (const { timer } of under) clearTimeout(timer);
    for (const { reject } of [...under.map(({ waiting }) => waiting), ...this.#waiting.splice(0)]) {
      reject(new SearchUnavailableError('the search is closed'));
    }
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
