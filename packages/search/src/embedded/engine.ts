import { join } from 'node:path';
import type { SearchEngine } from '../port.ts';
import { LAST_RESULT } from '../port.ts';
import { SearchThreads } from './searchThreads.ts';
import { IndexWriter } from './writer.ts';

export interface EmbeddedOptions {
  /** the index is a file in it */
  directory: string;
  /** one process writes, all may read; a reader's `index` throws */
  role: 'writer' | 'reader';
  /** a writer is told here when it had to begin an index anew that now misses everything from before */
  onLost?: (reason: string) => void;
}

const THREADS = 2;
const NOTHING = {
  audience: ['00'],
  text: {},
  payloadTypes: [],
  startTime: 0,
  endTime: 0,
  now: 0,
  offset: LAST_RESULT,
  limit: 0,
  locate: [],
};

/** The engine that needs no server: SQLite FTS5 over the analyzer's tokens, one file on this host. */
export function createEmbeddedEngine({ directory, role, onLost = () => {} }: EmbeddedOptions): SearchEngine {
  const file = join(directory, 'messages.sqlite');
  const writer = role === 'writer' ? new IndexWriter(file, onLost) : undefined;
  // Threads start with the first search: a process that only writes has none.
  let threads: SearchThreads | undefined;
  const search: SearchEngine['search'] = (query) => {
    threads ??= new SearchThreads(file, THREADS);
    return threads.search(query);
  };
  return {
    name: 'embedded',
    async prepare() {
      return { created: writer?.open() ?? false };
    },
    async index(documents) {
      if (!writer) throw new Error('this process reads the search index and does not write it');
      return documents.length === 0 ? [] : writer.index(documents);
    },
    search,
    async check() {
      if (writer) writer.check();
      else await search(NOTHING);
    },
    async close() {
      writer?.close();
      await threads?.close();
    },
  };
}
