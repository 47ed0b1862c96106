import type { SearchEngine } from '../port.ts';
import { SearchProcesses } from '../processes/searchProcesses.ts';
import { checkIndexFile } from './checkIndexFile.ts';
import { IndexFiles, removeIndex } from './files.ts';
import { IndexWriter } from './writer.ts';

export interface EmbeddedOptions {
  /** the index is a file in it */
  directory: string;
  /** one process writes, all may read; a reader's `index` throws */
  role: 'writer' | 'reader';
  /** a writer is told here when it had to begin an index anew that now misses everything from before */
  onLost?: (reason: string) => void;
}

/** The engine that needs no server: SQLite FTS5 over the analyzer's tokens, one file on this host. */
export function createEmbeddedEngine({ directory, role, onLost = () => {} }: EmbeddedOptions): SearchEngine {
  const files = new IndexFiles(directory);
  let writer = role === 'writer' ? new IndexWriter(files.current(), onLost) : undefined;
  // Fills beside the one that serves, see begin.
  let next: IndexWriter | undefined;
  // They start with the first search: a process that only writes has none.
  const processes = new SearchProcesses({ name: 'embedded', directory });
  const openNext = (file: string) => {
    const opened = new IndexWriter(file, onLost);
    opened.open();
    return opened;
  };
  const writing = () => {
    if (!writer) throw new Error('this process reads the search index and does not write it');
    return writer;
  };
  return {
    name: 'embedded',
    async prepare() {
      if (!writer) return { created: false };
      files.tidy();
      const file = files.next();
      if (file !== undefined) next = openNext(file);
      return { created: writer.open() };
    },
    async index(documents) {
      const serving = writing();
      if (documents.length === 0) return [];
      next?.index(documents);
      return serving.index(documents);
    },
    async begin(resume) {
      writing();
      const resumed = resume && next !== undefined;
      if (!resumed) {
        next?.close();
        next = openNext(files.begin());
      }
      const fresh = next;
      return {
        resumed,
        index: async (documents) => fresh?.index(documents) ?? [],
        async swap() {
          const old = files.swap();
          writer?.close();
          removeIndex(old);
          writer = fresh;
          next = undefined;
        },
      };
    },
    search: (query) => processes.run('', (turn) => turn.search(query)),
    async check() {
      if (writer) writer.check();
      else await checkIndexFile(files);
    },
    async close() {
      writer?.close();
      next?.close();
      await processes.close();
    },
  };
}
