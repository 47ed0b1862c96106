import { createSearchEngine, indexFolder, type SearchSettings } from './createSearchEngine.ts';
import { SearchProcesses, type SearchTurn } from './processes/searchProcesses.ts';

/** Searching for the API: in processes that can be killed. A user has at most one search running at a time. */
export interface SearchReader {
  /** see SearchProcesses.run */
  run<T>(user: string, work: (turn: SearchTurn) => Promise<T>): Promise<T>;
  /** Starts a process in advance, so that the first search does not wait for it. */
  warm(): void;
  /** Checks that the engine serves. It never waits for a search. @throws SearchUnavailableError */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** More than with the embedded engine: Meilisearch does the work, and these processes mostly wait for it. */
const MEILISEARCH_PROCESSES = 4;

/** @param note is called with one line when a search process ends by itself */
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
