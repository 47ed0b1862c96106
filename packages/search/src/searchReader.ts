import { createSearchEngine, indexFolder, type SearchSettings } from './createSearchEngine.ts';
import { SearchProcesses, type SearchTurn } from './processes/searchProcesses.ts';

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
