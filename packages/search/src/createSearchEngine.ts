import { join } from 'node:path';
import { createEmbeddedEngine } from './embedded/embeddedEngine.ts';
import { createMeilisearchEngine } from './meilisearch/meilisearchEngine.ts';
import { SearchProcesses, type SearchTurn } from './processes/searchProcesses.ts';
import type { OnLost, SearchEngine } from './searchEngine.ts';

export interface SearchSettings {
  /** '' for the embedded engine */
  meiliUrl: string;
  meiliApiKey: string;
  dataDir: string;
}

/** The engine that the settings name. @param role the indexer writes, everyone else reads */
export function createSearchEngine(settings: SearchSettings, role: 'writer' | 'reader', onLost?: OnLost): SearchEngine {
  const notify = onLost ? { onLost } : {};
  if (settings.meiliUrl !== '') {
    return createMeilisearchEngine({ url: settings.meiliUrl, apiKey: settings.meiliApiKey, role, ...notify });
  }
  return createEmbeddedEngine({ directory: indexFolder(settings), role, ...notify });
}

/** Searching as the API does it: in processes that can be killed, each user at most in one of them at a time. */
export interface SearchReader {
  /** see SearchProcesses.run */
  run<T>(user: string, work: (turn: SearchTurn) => Promise<T>): Promise<T>;
  /** Starts a process, so that the first search does not wait for that. */
  warm(): void;
  /** Whether the engine serves; it never waits for a search. @throws SearchUnavailableError */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Meilisearch computes elsewhere, so more searches at once only wait for it. */
const MEILISEARCH_PROCESSES = 4;

/** @param note is told, in a line, of a search process that ended by itself */
export function createSearchReader(settings: SearchSettings, note: (line: string) => void): SearchReader {
  const engine = createSearchEngine(settings, 'reader');
  const processes =
    settings.meiliUrl === ''
      ? new SearchProcesses({ engine: { name: 'embedded', directory: indexFolder(settings) }, note })
      : new SearchProcesses({
          engine: { name: 'meilisearch', url: settings.meiliUrl, apiKey: settings.meiliApiKey },
          bounds: { processes: MEILISEARCH_PROCESSES },
          note,
        });
  return {
    run: (user, work) => processes.run(user, work),
    warm: () => processes.warm(),
    check: () => engine.check(),
    async close() {
      await Promise.all([processes.close(), engine.close()]);
    },
  };
}

const indexFolder = ({ dataDir }: SearchSettings) => join(dataDir, 'search');
