import type { RefusedDocument, SearchDocument } from './searchDocument.ts';
import type { SearchQuery, SearchResult } from './searchQuery.ts';

/**
 * The search engine as the rest of the system sees it. Both adapters (embedded, meilisearch) implement it and pass the
 * same contract suite. Keys that decide access (`audience`, `from`, …) are hex hashes, see accessKey: an engine may fold
 * case, and two uids that differ only in case must not see each other's messages.
 */
export interface SearchEngine {
  readonly name: 'embedded' | 'meilisearch';
  /**
   * Creates or updates indexes and settings. Idempotent, and safe if several processes start at once.
   * @returns created: the index is new and empty, so it misses everything that is already stored
   */
  prepare(): Promise<{ created: boolean }>;
  /**
   * Resolves when all documents except the refused ones are durable and findable. Idempotent by id.
   * @throws SearchUnavailableError
   */
  index(documents: SearchDocument[]): Promise<RefusedDocument[]>;
  /**
   * Begins a new index; from now on `index` fills both.
   * @param resume continues an index that an earlier process began, if there is one
   * @throws SearchUnavailableError
   */
  begin(resume: boolean): Promise<FreshIndex>;
  /** @throws SearchUnavailableError if the engine does not answer in time */
  search(query: SearchQuery): Promise<SearchResult>;
  /**
   * Checks that the engine serves. A writer calls it every few seconds: its check also notices a missing or damaged
   * index, begins a new one, and calls `onLost`.
   * @throws SearchUnavailableError
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A new index that is being filled while the old one serves. */
export interface FreshIndex {
  /** whether an earlier process began it */
  resumed: boolean;
  /** Fills the new index alone. */
  index(documents: SearchDocument[]): Promise<RefusedDocument[]>;
  /** Atomically replaces the serving index and deletes the old one; searches keep working. */
  swap(): Promise<void>;
}

/**
 * Called by a writer when the index misses what was written before. `fresh`: the existing index cannot be used at all;
 * searches are refused until a new one (see `begin`) takes its place.
 */
export type OnLost = (reason: string, how?: { fresh: boolean }) => void;

/** The engine does not answer, or not in time: try again later. */
export class SearchUnavailableError extends Error {
  override readonly name = 'SearchUnavailableError';
  /** how long the engine asked to be left alone, if it did */
  retryAfterMs?: number;
  /** what the operator can do about it, if that is known */
  fix?: string;
}
