import { type ProcessBounds, SearchProcesses } from '../processes/searchProcesses.ts';
import type { OnLost, SearchEngine } from '../searchEngine.ts';
import { checkIndexFile } from './checkIndexFile.ts';
import { IndexFiles, removeIndex } from './indexFiles.ts';
import { IndexWriter } from './indexWriter.ts';
import { OutdatedIndexError } from './schema.ts';

export interface EmbeddedOptions {
  /** the folder that holds the index files */
  directory: string;
  /** one process writes, any number may read; a reader's `index` throws */
  role: 'writer' | 'reader';
  /** see OnLost; never called in a reader */
  onLost?: OnLost;
  /** of its search processes, where they are not the usual ones */
  bounds?: Partial<ProcessBounds>;
}

/** The engine that needs no server: SQLite FTS5 over the analyzer's tokens, one file on this host. */
export function createEmbeddedEngine(options: EmbeddedOptions): SearchEngine {
  const { directory, role, onLost = () => {}, bounds = {} } = options;
  const files = new IndexFiles(directory);
  const isWriter = role === 'writer';
  // Undefined while the current index is of an older version: that one stays as it is until a new one replaces it.
  let serving = isWriter ? new IndexWriter(files.current(), onLost) : undefined;
  // The new index that is being filled, see begin.
  let next: IndexWriter | undefined;
  // Processes start with the first search, so a process that only writes has none.
  const processes = new SearchProcesses({ engine: { name: 'embedded', directory }, bounds });
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
      next ??= opened(files.begin(), onLost);
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
        next = opened(files.begin(), onLost);
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

function opened(file: string, onLost: OnLost): IndexWriter {
  const writer = new IndexWriter(file, onLost);
  writer.open();
  return writer;
}

/** The new index that an earlier process began; undefined if it is empty or of another version, and then it is removed. */
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
