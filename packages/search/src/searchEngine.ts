/**
 * The search engine as the rest of the system sees it. Both adapters (embedded, meilisearch) implement it and pass the
 * same contract suite. Keys used for access (`audience`, `from`, …) are hex hashes, see accessKey: an engine may fold
 * case, and two uids that differ only in case must not see each other's messages.
 */

/** The payload field that nearly every message has and nearly every search is in. */
export const CONTENT_FIELD = 'content';

/** Beyond this result nothing is shown (docs/api.md §2, usersearch); totals stay exact. */
export const LAST_RESULT = 10_000;

/** One document: a message, or up to 1,000 recipients of a broadcast. Immutable: the same id always means the same. */
export interface SearchDocument {
  /** `[A-Za-z0-9-]`, unique: `m<message_id>`, `<ref>-<chunk>`, or `<ref>-r<position>` of a late recipient */
  id: string;
  /**
   * who may see it: personal → both uids; group → the channel and the sender; broadcast → recipients, in
   * order, '' for one whose copy is gone */
  audience: string[];
  /** accessKey of the sender's uid */
  from: string;
  /** accessKey of the group (type and id); '' for personal messages */
  channel: string;
  /** accessKey of the channel_id alone, for a query without a type; '' for personal messages */
  channelId: string;
  channelType: number;
  /** accessKey of the topic, '' without one */
  topic: string;
  /** the payload's top-level `type`, where it is a whole number */
  payloadType?: number;
  /** seconds */
  timestamp: number;
  /** seconds; 0 never */
  expiresAt: number;
  /** orders messages of the same second: the message_id */
  order: number;
  /** top-level string fields of the payload: name → text */
  text: Record<string, string>;
  /** given back with a hit as it is; says where the message is in Redis */
  locator: string;
}

/** A search within what one user may see; every part is ANDed. */
export interface SearchQuery {
  /** which documents: each has to have one of `audience` in its audience; empty matches nothing */
  audience: string[];
  /** further restriction of the scope: a document matches where ANY of these matches; absent: no restriction */
  anyOf?: ScopeClause[];
  /** text by payload field: ORed over the fields, words within one ANDed; empty: no text */
  text: Record<string, string>;
  payloadTypes: number[];
  from?: string;
  topic?: string;
  channelType?: number;
  /** seconds, both inclusive, 0 is open */
  startTime: number;
  endTime: number;
  /** seconds: documents with 0 < expiresAt <= now are left out */
  now: number;
  /** first hit to return and how many; beyond the 10,000th result nothing is returned, `total` stays exact */
  offset: number;
  limit: number;
  /** positions of these keys in a hit's audience are returned with the hit */
  locate: string[];
}

/** All given parts of one clause must hold. `audience`: the document's audience contains this one key. */
export interface ScopeClause {
  from?: string;
  audience?: string;
  channel?: string;
  channelId?: string;
  channelType?: number;
}

export interface SearchHit {
  id: string;
  locator: string;
  /** index in the audience of each key in `locate`, -1 where it is not in it */
  positions: number[];
}

export interface SearchResult {
  total: number;
  hits: SearchHit[];
}

/** A document that the engine refused; the others of the batch are indexed. */
export interface RefusedDocument {
  id: string;
  reason: string;
}

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
