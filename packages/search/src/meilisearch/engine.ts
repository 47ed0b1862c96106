import { Meilisearch, type SearchParams } from 'meilisearch';
import { LAST_RESULT, type SearchEngine, type SearchHit, type SearchQuery, SearchUnavailableError } from '../port.ts';
import { positionOf } from './documents.ts';
import { unavailable } from './errors.ts';
import { type FieldQuery, fieldQueries, filterOf, holds, matchesNothing } from './query.ts';
import { dropIndex, exists, setUpIndex, swapIndexes } from './settings.ts';
import { addDocuments } from './writer.ts';

export interface MeilisearchOptions {
  url: string;
  apiKey: string;
  role: 'writer' | 'reader';
  indexName?: string;
  /** the index went away, or was emptied, while in use; it has been created again */
  onLost?: (reason: string) => void;
}

interface Page {
  totalHits: number;
  hits: Record<string, unknown>[];
}

/** Long enough for a loaded server, short enough for the one who waits for an answer. */
const SEARCH_MS = 5000;
/** Documents are large, and a busy server takes them slowly. */
const WRITE_MS = 60_000;
const SHOWN = ['id', 'locator', 'positions'];
/** Found documents that are looked at again at once; their texts come over the wire. */
const RECHECKED_AT_ONCE = 200;
const NOTHING = { total: 0, hits: [] };

/** A Meilisearch server, 1.50 or newer. */
export function createMeilisearchEngine(options: MeilisearchOptions): SearchEngine {
  const { url, apiKey, role, indexName = 'messages', onLost = () => {} } = options;
  const nextName = `${indexName}_next`;
  const connection = { host: url, ...(apiKey === '' ? {} : { apiKey }) };
  const writer = new Meilisearch({ ...connection, timeout: WRITE_MS });
  const reader = new Meilisearch({ ...connection, timeout: SEARCH_MS });

  /** One page of the union of the fields' queries, each document once; all of them where there is no text. */
  async function find(fields: FieldQuery[], common: SearchParams, page: number, hitsPerPage: number): Promise<Page> {
    const queries = fields.map(({ q, attributes }) => ({ q, attributesToSearchOn: attributes, ...common }));
    if (queries.length > 1) {
      const federation = { page, hitsPerPage };
      const federated = { federation, queries: queries.map((query) => ({ indexUid: indexName, ...query })) };
      const { hits, totalHits = 0 } = (await reader.multiSearch(federated)) as Partial<Page>;
      return { hits: hits ?? [], totalHits };
    }
    return reader.index(indexName).search(null, { q: '', ...common, ...queries[0], page, hitsPerPage });
  }

  async function search(query: SearchQuery) {
    const hasText = Object.keys(query.text).length > 0;
    const fields = fieldQueries(query.text);
    if (query.audience.length === 0 || matchesNothing(query.anyOf) || (hasText && fields.length === 0)) return NOTHING;
    const common: SearchParams = {
      filter: filterOf(query),
      sort: ['timestamp:desc', 'order:desc'],
      matchingStrategy: 'all',
      attributesToRetrieve: SHOWN,
    };
    const end = Math.min(query.offset + query.limit, LAST_RESULT);
    if (fields.some(({ isLoose }) => isLoose)) {
      const { total, hits } = await recheck(fields, common);
      return { total, hits: hits.slice(query.offset, end).map((hit) => toHit(hit, query.locate)) };
    }
    // Pages are whole in Meilisearch; an offset within one takes all from the beginning.
    const isWhole = query.limit > 0 && query.offset % query.limit === 0 && query.offset < end;
    const { hits, totalHits } = isWhole
      ? await find(fields, common, query.offset / query.limit + 1, query.limit)
      : await find(fields, common, 1, query.offset < end ? end : 1);
    const shown = isWhole ? hits.slice(0, end - query.offset) : hits.slice(query.offset, end);
    return { total: totalHits, hits: shown.map((hit) => toHit(hit, query.locate)) };
  }

  /** Looks at the text of what was found; beyond the last result that is shown, the engine's word is taken. */
  async function recheck(fields: FieldQuery[], common: SearchParams) {
    const attributesToRetrieve = [...SHOWN, ...new Set(fields.flatMap(({ attributes }) => attributes))];
    const kept: Record<string, unknown>[] = [];
    for (let page = 1, seen = 0; ; page++) {
      const { hits, totalHits } = await find(fields, { ...common, attributesToRetrieve }, page, RECHECKED_AT_ONCE);
      kept.push(...hits.filter((hit) => fields.some((field) => holds(hit, field))));
      seen += hits.length;
      if (hits.length < RECHECKED_AT_ONCE || seen >= LAST_RESULT) {
        return { total: kept.length + Math.max(0, totalHits - seen), hits: kept };
      }
    }
  }

  async function replaceLost(): Promise<void> {
    if (await exists(writer, indexName)) return;
    if (await setUpIndex(writer, indexName)) onLost('the index in Meilisearch was missing');
  }

  return {
    name: 'meilisearch',
    prepare: () => guarded(async () => ({ created: await setUpIndex(writer, indexName) })),
    index: (documents) =>
      guarded(async () => {
        // Meilisearch would make a missing index by itself, without its settings.
        await replaceLost();
        if (await exists(writer, nextName)) await addDocuments(writer, nextName, documents);
        return addDocuments(writer, indexName, documents);
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
              await swapIndexes(writer, indexName, nextName);
              await dropIndex(writer, nextName);
            }),
        };
      }),
    search: (query) => guarded(() => search(query)),
    check: () =>
      guarded(async () => {
        if (role === 'writer') await replaceLost();
        await reader.index(indexName).search(null, { q: '', limit: 1, attributesToRetrieve: ['id'] });
      }),
    async close() {},
  };
}

function toHit({ id, locator, positions }: Record<string, unknown>, locate: string[]): SearchHit {
  return {
    id: String(id),
    locator: String(locator),
    positions: locate.map((key) => positionOf(String(positions), key)),
  };
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof SearchUnavailableError ? error : unavailable(error);
  }
}
