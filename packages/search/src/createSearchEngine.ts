import { join } from 'node:path';
import { createEmbeddedEngine } from './embedded/embeddedEngine.ts';
import { createMeilisearchEngine } from './meilisearch/meilisearchEngine.ts';
import type { OnLost, SearchEngine } from './searchEngine.ts';

export interface SearchSettings {
  /** '' for the embedded engine */
  meiliUrl: string;
  meiliApiKey: string;
  dataDir: string;
}

/** Opens the engine that the settings name. @param role the indexer writes, everybody else reads */
export function createSearchEngine(settings: SearchSettings, role: 'writer' | 'reader', onLost?: OnLost): SearchEngine {
  const notify = onLost ? { onLost } : {};
  if (settings.meiliUrl !== '') {
    return createMeilisearchEngine({ url: settings.meiliUrl, apiKey: settings.meiliApiKey, role, ...notify });
  }
  return createEmbeddedEngine({ directory: indexFolder(settings), role, ...notify });
}

/** Where the embedded engine keeps its index. */
export const indexFolder = ({ dataDir }: SearchSettings) => join(dataDir, 'search');
