import type { RefusedDocument, SearchDocument } from './searchDocument.ts';
import type { SearchQuery, SearchResult } from './searchQuery.ts';

/**
 * The search engine as the rest of the system sees it. Both adapters (embedded, meilisearch) implement it and pass the
 * same contract suite. Keys used for access (`audience`, `from`, …) are hex hashes, see accessKey: an engine may fold
 * case, and two uids that differ only in case must not see each other's messages.
 */
/** An index in the making, beside the one that serves. */
export interface FreshIndex {
  /** it is what an earlier process began */
  resumed: boolean;
  /** into the new index alone */
  index(documents: SearchDocument[]): Promise<RefusedDocument[]>;
  /** Puts it in the place of the one that serves, and drops that; no search fails meanwhile. */
  swap(): Promise<void>;
}

export interface SearchEngine {
  readonly name: 'embedded' | 'meilisearch';
  /**
   * Creates or updates indexes and settings; idempotent, safe with several processes starting at once.
   * @returns created: the index is new and empty, so what was stored before is not in it
   */
  prepare(): Promise<{ created: boolean }>;
  /** Resolves when all are durable and findable, but the refused. Idempotent by id. @throws SearchUnavailableError */
  index(documents: SearchDocument[]): Promise<RefusedDocument[]>;
  /**
   * Begins a new index; from now on `index` fills both. @param resume goes on with one that an earlier process began
   * @throws SearchUnavailableError
   */
  begin(resume: boolean): Promise<FreshIndex>;
  /** @throws SearchUnavailableError where the engine does not answer in time */
  search(query: SearchQuery): Promise<SearchResult>;
  /**
   * Whether the engine serves. A writer's check also notices an index that is gone or damaged, begins it anew, and tells
   * that it was lost; to be called every few seconds.
   * @throws SearchUnavailableError
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A writer tells that the index misses what was written before. `fresh`: what there is cannot be used; searches are
 * refused until an index that was begun (see `begin`) takes its place.
 */
export type OnLost = (reason: string, how?: { fresh: boolean }) => void;

/** The engine does not answer, or not in time: try again later. */
export class SearchUnavailableError extends Error {
  override readonly name = 'SearchUnavailableError';
  /** what the engine asked for, where it did */
  retryAfterMs?: number;
}
