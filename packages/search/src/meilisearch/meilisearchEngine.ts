import { Meilisearch } from 'meilisearch';
import type { SearchEngine } from '../searchEngine.ts';
import { addDocuments } from './addDocuments.ts';
import { isServerFailure, unavailable } from './errors.ts';
import { dropIndex, exists, setUpIndex, swapIndexes } from './indexes.ts';
import { searcher } from './searcher.ts';

export interface MeilisearchOptions {
  url: string;
  apiKey: string;
  role: 'writer' | 'reader';
  indexName?: string;
  /** called when the index was missing while in use; it has been created again, empty */
  onLost?: (reason: string) => void;
}

/** Long enough for a loaded server, short enough for a user who waits for the answer. */
const SEARCH_MS = 5000;
/** A look that people wait for; whoever writes has more patience. */
const CHECK_MS = 2000;
/** Documents are large, and a busy server takes them slowly. */
const WRITE_MS = 60_000;

/**
 * The version of the document format. An index of another version is left to the processes of that version. One of this
 * version is created beside it and filled from Redis; then the older ones are deleted.
 */
const VERSION = 2;
/** Indexes of version 1 have no version in their names. */
const olderNames = (name: string) => [name, `${name}_next`];

/** The uid of the serving index. @param name `indexName` of the options */
export const servingIndex = (name: string): string => `${name}_v${VERSION}`;

/** The engine on a Meilisearch server, 1.50 or newer. */
export function createMeilisearchEngine(options: MeilisearchOptions): SearchEngine {
  const { url, apiKey, role, indexName = 'messages', onLost = () => {} } = options;
  const servingName = servingIndex(indexName);
  const nextName = `${servingName}_next`;
  const connection = { host: url, ...(apiKey === '' ? {} : { apiKey }) };
  const writer = new Meilisearch({ ...connection, timeout: WRITE_MS });
  const reader = new Meilisearch({ ...connection, timeout: SEARCH_MS });
  const checker = role === 'reader' ? new Meilisearch({ ...connection, timeout: CHECK_MS }) : reader;
  const search = searcher(reader, servingName);

  async function replaceLost(): Promise<void> {
    if (await exists(writer, servingName)) return;
    if (await setUpIndex(writer, servingName)) onLost('the index in Meilisearch was missing');
  }

  return {
    name: 'meilisearch',
    prepare: () => guarded(async () => ({ created: await setUpIndex(writer, servingName) })),
    index: (documents) =>
      guarded(async () => {
        // Meilisearch would create a missing index by itself, but without our settings.
        await replaceLost();
        if (await exists(writer, nextName)) await addDocuments(writer, nextName, documents);
        return addDocuments(writer, servingName, documents);
      }),
    begin: (resume) =>
      guarded(async () => {
        const resumed = resume && (await exists(writer, nextName));
        if (!resumed) {
          await dropIndex(writer, nextName);
          await setUpIndex(writer, nextName);
        }
        return {
          resumed,
          index: (documents) => guarded(() => addDocuments(writer, nextName, documents)),
          swap: () =>
            guarded(async () => {
              await swapIndexes(writer, servingName, nextName);
              await dropIndex(writer, nextName);
              for (const name of olderNames(indexName)) await dropIndex(writer, name);
            }),
        };
      }),
    search: (query) => guarded(() => search(query)),
    check: () =>
      guarded(async () => {
        if (role === 'writer') await replaceLost();
        await checker.index(servingName).search(null, { q: '', limit: 1, attributesToRetrieve: ['id'] });
      }),
    async close() {},
  };
}

/** A defect must not look like an unavailable server: the indexer would retry it for ever, and nobody would see it. */
async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isServerFailure(error) ? unavailable(error) : error;
  }
}
