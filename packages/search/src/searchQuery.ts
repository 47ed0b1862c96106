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

/** Beyond this result nothing is shown (docs/api.md §2, usersearch); totals stay exact. */
export const LAST_RESULT = 10_000;
