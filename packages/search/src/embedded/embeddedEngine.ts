import { SearchProcesses } from '../processes/searchProcesses.ts';
import type { OnLost, SearchEngine } from '../searchEngine.ts';
import { checkIndexFile } from './checkIndexFile.ts';
import { IndexFiles, removeIndex } from './indexFiles.ts';
import { IndexWriter } from './indexWriter.ts';
import { OutdatedIndexError } from './schema.ts';

export interface EmbeddedOptions {
  /** the index is a file in it */
  directory: string;
  /** one process writes, all may read; a reader's `index` throws */
  role: 'writer' | 'reader';
  /** see OnLost; a reader is told nothing */
  onLost?: OnLost;
}

/** The engine that needs no server: SQLite FTS5 over the analyzer's tokens, one file on this host. */
export function createEmbeddedEngine({ directory, role, onLost = () => {} }: EmbeddedOptions): SearchEngine {
  const files = new IndexFiles(directory);
  const isWriter = role === 'writer';
  // None while the index in place is of an older version: it is left as it is until a new one takes its place.
  let serving = isWriter ? new IndexWriter(files.current(), onLost) : undefined;
  // Fills beside the one that serves, see begin.
  let next: IndexWriter | undefined;
  // They start with the first search: a process that only writes has none.
  const processes = new SearchProcesses({ engine: { name: 'embedded', directory } });
  const openNext = (file: string) => {
    const opened = new IndexWriter(file, onLost);
    opened.open();
    return opened;
  };
  const writing = () => {
    if (!isWriter) throw new Error('this process reads the search index and does not write it');
  };
  const openServing = (): boolean => {
    try {
      return serving?.open() ?? false;
    } catch (error) {
      if (!(error instanceof OutdatedIndexError)) throw error;
      serving?.close();
      serving = undefined;
      next ??= openNext(files.begin());
      onLost(error.message, { fresh: true });
      return false;
    }
  };
  return {
    name: 'embedded',
    async prepare() {
      if (!isWriter) return { created: false };
      files.tidy();
      const begun = files.next();
      next ??= begun === undefined ? undefined : reopened(begun, onLost);
      return { created: openServing() };
    },
    async index(documents) {
      writing();
      if (documents.length === 0) return [];
      const refused = next?.index(documents);
      return serving?.index(documents) ?? refused ?? [];
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
          serving?.close();
          removeIndex(old);
          serving = fresh;
          next = undefined;
        },
      };
    },
    search: (query) => processes.run('', (turn) => turn.search(query)),
    async check() {
      if (isWriter) serving?.check();
      else await checkIndexFile(files);
    },
    async close() {
      serving?.close();
      next?.close();
      await processes.close();
    },
  };
}

/** What an earlier process began, as far as there is something in it that this one can go on with. */
function reopened(file: string, onLost: OnLost): IndexWriter | undefined {
  const writer = new IndexWriter(file, onLost);
  try {
    if (!writer.open()) return writer;
  } catch (error) {
    if (!(error instanceof OutdatedIndexError)) throw error;
  }
  writer.close();
  removeIndex(file);
  return undefined;
}
